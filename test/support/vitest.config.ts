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

const shared = {
  root,
  environment: 'node' as const,
  // Programs of ours that a test starts find what an earlier one has compiled: that is half of their time.
  env: { NODE_COMPILE_CACHE: `${root}/.build/compiled` },
  setupFiles: ['test/support/fixed-seed.ts'],
  // A busy machine makes a test slow, never wrong.
  testTimeout: 300_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 60_000 } },
};

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
          ...shared,
          name: 'node',
          include: ['test/{unit,faults}/**/*.test.ts'],
        },
      },
      {
        root,
        test: {
          ...shared,
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
        },
      },
    ],
  },
});
