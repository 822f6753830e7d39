/**
 * A quantile sketch in bounded memory (after Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams", 2016): levels
 * of buffers; a full one is sorted, and every second value, alternately the odd and the even ones, moves up with twice the
 * weight. Exact up to `capacity` values; beyond, ranks are off by well under one per cent. Deterministic: the same values in
 * the same order give the same sketch.
 */

const capacity = 1024;

export interface QuantileSketch {
  add(value: number): void;
  /** `points + 1` values: minimum, the quantiles i/points, maximum. Empty for no values. */
  quantiles(points: number): number[];
}

export function createQuantileSketch(): QuantileSketch {
  const levels: number[][] = [[]];
  const keepOdd: boolean[] = [];
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;

  function compact(level: number): void {
    const values = levels[level] ?? [];
    // Typed arrays sort by number, and several times as fast.
    const full = Float64Array.from(values).sort();
    const odd = keepOdd[level] ?? false;
    keepOdd[level] = !odd;
    const above = (levels[level + 1] ??= []);
    for (let at = odd ? 1 : 0; at < full.length; at += 2) above.push(full[at] ?? 0);
    values.length = 0;
    if (above.length >= capacity) compact(level + 1);
  }

  return {
    add(value) {
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
      const lowest = levels[0] ?? [];
      lowest.push(value);
      if (lowest.length >= capacity * 2) compact(0);
    },
    quantiles(points) {
      const weighted = levels.flatMap((values, level) =>
        values.map((value) => ({ value, weight: 2 ** level })),
      );
      weighted.sort((a, b) => a.value - b.value);
      const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
      if (total === 0) return [];
      const result = [minimum];
      let seen = 0;
      let at = 0;
      for (let point = 1; point < points; point += 1) {
        const rank = (point / points) * total;
        while (at < weighted.length - 1 && seen + (weighted[at]?.weight ?? 0) < rank) {
          seen += weighted[at]?.weight ?? 0;
          at += 1;
        }
        result.push(weighted[at]?.value ?? maximum);
      }
      return [...result, maximum];
    },
  };
}
