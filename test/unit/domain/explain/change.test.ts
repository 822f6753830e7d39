import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchChange, type Changeable } from '#domain/explain/index.ts';

const column = (at: number, value: number, candidates: readonly number[]): Changeable => ({
  column: at,
  kind: 'number',
  value,
  candidates,
  spread: 1,
  step: 0.5,
});

function search(
  model: (row: readonly number[]) => number,
  columns: readonly Changeable[],
  options: { readonly below: number; readonly mostPredictions?: number },
) {
  const values = columns.map(({ value }) => value);
  return searchChange(
    { value: model(values), columns },
    {
      isWanted: (value) => value < options.below,
      progress: (value) => -value,
      mostColumns: 3,
      mostPredictions: options.mostPredictions ?? 5000,
      predict: (sets) =>
        Promise.resolve(
          Float64Array.from(sets, (set) =>
            model(values.map((value, at) => set.find((each) => each.column === at)?.to ?? value)),
          ),
        ),
    },
  );
}

describe('what would change a decision', () => {
  test('is one column where one is enough, moved no further than it must be', async () => {
    const model = (row: readonly number[]): number => (row[0] ?? 0) + 3 * (row[1] ?? 0);
    const found = await search(model, [column(0, 10, [0, 5]), column(1, 2, [0, 1])], {
      below: 9.6,
    });
    // 16 must come under 9.6: seven spreads of the first column, or two and a half of the second, which has none that far.
    expect(found.found).toEqual([{ column: 0, from: 10, to: 3.5 }]);
    expect(found.value).toBe(9.5);
    expect(found.distance).toBe(6.5);
    expect(found.isComplete).toBe(true);
  });

  test('takes two columns when neither is enough, and leaves out the one that does nothing', async () => {
    const model = (row: readonly number[]): number =>
      ((row[0] ?? 0) <= 1 ? 0 : 2) + ((row[1] ?? 0) <= 1 ? 0 : 2);
    const found = await search(
      model,
      [column(0, 4, [0, 3]), column(1, 4, [0, 3]), column(2, 4, [0, 3])],
      { below: 1 },
    );
    expect(found.found).toEqual([
      { column: 0, from: 4, to: 1 },
      { column: 1, from: 4, to: 1 },
    ]);
  });

  test('says when nothing was found, and when it had to stop before it had tried all', async () => {
    const columns = [column(0, 4, [0, 3]), column(1, 4, [0, 3])];
    expect(await search(() => 1, columns, { below: 0 })).toMatchObject({
      found: undefined,
      isComplete: true,
    });
    expect(await search(() => 1, columns, { below: 0, mostPredictions: 3 })).toMatchObject({
      found: undefined,
      predictions: 3,
      isComplete: false,
    });
  });

  test('always is a change that the model agrees with, and is the same each time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 4, maxLength: 4 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 4, maxLength: 4 }),
        fc.integer({ min: -10, max: 10 }),
        async (weights, values, below) => {
          const model = (row: readonly number[]): number =>
            row.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0) -
            (row[0] ?? 0) * (row[1] ?? 0);
          const columns = values.map((value, at) => column(at, value, [0, 2, 4, 6]));
          const first = await search(model, columns, { below });
          expect(await search(model, columns, { below })).toEqual(first);
          if (first.found === undefined) return;
          const changed = values.map(
            (value, at) => first.found?.find((each) => each.column === at)?.to ?? value,
          );
          expect(model(changed)).toBe(first.value);
          expect(first.value).toBeLessThan(below);
        },
      ),
      { numRuns: 100 },
    );
  });
});
