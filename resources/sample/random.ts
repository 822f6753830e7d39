/** Random numbers that are the same on every machine (mulberry32), for data and nothing else. */
export interface Random {
  /** In [0, 1). */
  uniform(): number;
  normal(mean: number, sd: number): number;
  integer(low: number, high: number): number;
  pick<T>(weighted: readonly (readonly [T, number])[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed | 0;
  function uniform(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    uniform,
    normal: (mean, sd) =>
      mean + sd * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    pick(weighted) {
      const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
      let left = uniform() * total;
      for (const [value, weight] of weighted) {
        left -= weight;
        if (left < 0) return value;
      }
      const last = weighted.at(-1);
      if (last === undefined) throw new RangeError('Nothing to pick from.');
      return last[0];
    },
  };
}
