import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = `${import.meta.dirname}/../..`;

/** The longest files begin first: one that begins last keeps one core busy alone, for minutes. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const long = ['faults/kills', 'faults/media', 'e2e/', 'unit/fuzz', 'hostile-models', 'app/cli'];
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((part) => moduleId.includes(part));
      return at < 0 ? long.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** Programs of ours that a test starts find what an earlier one has compiled: that is half of their time. */
const env = { NODE_COMPILE_CACHE: `${root}/.build/compiled` };

export default defineConfig({
  root,
  test: {
    root,
    sequence: { sequencer: LongestFirst },
    // Vitest would leave one processor free: of two, half.
    maxWorkers: availableParallelism(),
    projects: [
      {
        root,
        test: {
          name: 'node',
          include: ['test/{unit,faults}/**/*.test.ts'],
          environment: 'node',
          env,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        root,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          environment: 'node',
          env,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
