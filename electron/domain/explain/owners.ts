/** Which column of a file each element of a vector comes from, found by swapping one column at a time. */
import type { Elements } from './exact.ts';

/**
 * `swapped` has a row for each background row and each player: the record with that player's value of the row. Undefined when an
 * element depends on several columns: its share of the prediction is then nobody's alone, and exact methods do not apply.
 */
export function findOwners(rows: {
  readonly record: ArrayLike<number>;
  readonly background: Elements;
  readonly swapped: Elements;
  readonly players: number;
}): Int32Array | undefined {
  const { record, background, swapped, players } = rows;
  const { width } = background;
  const owner = new Int32Array(width).fill(-1);
  const count = width === 0 ? 0 : background.values.length / width;
  for (let row = 0; row < count; row += 1) {
    for (let element = 0; element < width; element += 1) {
      const before = record[element] ?? 0;
      const after = background.values[row * width + element] ?? 0;
      let isMade = Object.is(before, after);
      for (let player = 0; player < players; player += 1) {
        const value = swapped.values[(row * players + player) * width + element] ?? 0;
        if (Object.is(value, before)) continue;
        if (owner[element] !== -1 && owner[element] !== player) return undefined;
        owner[element] = player;
        // A swap of its column alone must take it all the way.
        if (!Object.is(value, after)) return undefined;
        isMade = true;
      }
      if (!isMade) return undefined;
    }
  }
  return owner;
}
