import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { hostileModels } from '../../../support/hostile/models/index.ts';
import type { ModelCase } from '../../../support/hostile/models/model-case.ts';
import { goTheWay } from '../../../support/hostile/models/way.ts';
import { bytesOf } from '../../../support/onnx-models.ts';

/**
 * What each of the three processes may use; in the product it is more. Processor time, because a test machine may be busy: a
 * model that runs into it is given little, so that the test is not long; one that must not has plenty.
 */
const budget = (expected: ModelCase['expected']) => ({
  dataBytes: 1.5 * 2 ** 30,
  residentBytes: 2 ** 30,
  processorSeconds: expected === 'limit' ? 2 : 30,
  loadMs: 400_000,
  silenceMs: 400_000,
});
const lanes = 2;

test(
  'hostile models are refused, fail or are stopped, each as it should, and nothing of them stays',
  { timeout: 1_200_000 },
  async () => {
    const waiting = [...hostileModels];
    const other: string[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { name, expected, make } = next;
        const made = make();
        const bytes = made instanceof Uint8Array ? made : bytesOf(made);
        const { verdict, said } = await goTheWay(bytes, budget(expected));
        if (verdict !== expected) other.push(`${name}: ${verdict}, not ${expected}. ${said}`);
      }
    };
    await Promise.all(Array.from({ length: lanes }, work));
    expect(other).toEqual([]);
    const own = new RegExp(`^strongroom-(child|scan)-${process.pid}-`);
    expect(readdirSync(tmpdir()).filter((name) => own.test(name))).toEqual([]);
  },
);

test('there are more than eighty of them, of different names', () => {
  expect(hostileModels.length).toBeGreaterThan(80);
  expect(new Set(hostileModels.map(({ name }) => name)).size).toBe(hostileModels.length);
});
