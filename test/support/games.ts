/** Games for Shapley values, and the values by the published definition: a sum over all subsets of the other players. */
import type { Game, Mixes } from '#domain/explain/index.ts';

export type Model = (row: ArrayLike<number>) => number;

/** A game over rows of plain numbers. */
export function gameOf(
  model: Model,
  record: readonly number[],
  background: readonly (readonly number[])[],
): Game & { readonly asked: () => number } {
  const players = record.length;
  let asked = 0;
  return {
    players,
    backgroundRows: background.length,
    differs: Uint8Array.from(
      background.flatMap((row) => row.map((value, at) => (Object.is(value, record[at]) ? 0 : 1))),
    ),
    value: model(record),
    backgroundValues: Float64Array.from(background, model),
    asked: () => asked,
    predict({ background: rows, fromRecord }: Mixes) {
      asked += rows.length;
      return Promise.resolve(
        Float64Array.from(rows, (row, at) =>
          model(
            record.map((value, player) =>
              fromRecord[at * players + player] === 1 ? value : (background[row]?.[player] ?? 0),
            ),
          ),
        ),
      );
    },
  };
}

/** Shapley 1953: Σ over S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)), v(S) the mean over the background. */
export function shapleyByDefinition(
  model: Model,
  record: readonly number[],
  background: readonly (readonly number[])[],
): number[] {
  const players = record.length;
  const worth = (set: number): number =>
    background.reduce(
      (sum, row) =>
        sum + model(record.map((value, at) => ((set >> at) & 1 ? value : (row[at] ?? 0)))),
      0,
    ) / background.length;
  const worths = Array.from({ length: 1 << players }, (_, set) => worth(set));
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  return record.map((_, player) =>
    worths.reduce((sum, before, set) => {
      if ((set >> player) & 1) return sum;
      const size = set.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(players - size - 1)) / factorial(players);
      return sum + weight * ((worths[set | (1 << player)] ?? 0) - before);
    }, 0),
  );
}
