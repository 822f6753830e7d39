/** Numbers that only have to be spread evenly and be the same every time: which rows and orders are drawn. Never for secrets. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, below). */
  below(below: number): number;
}

/** PCG-RXS-M-XS 32 (O'Neill 2014) from any 32-bit seed. */
export function createRandom(seed: number): Random {
  let state = (Math.imul(seed >>> 0, 747_796_405) + 2_891_336_453) >>> 0;
  const word = (): number => {
    state = (Math.imul(state, 747_796_405) + 2_891_336_453) >>> 0;
    const mixed = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277_803_737) >>> 0;
    return ((mixed >>> 22) ^ mixed) >>> 0;
  };
  const next = (): number => word() / 2 ** 32;
  return { next, below: (below) => Math.floor(next() * below) };
}

/** 0 … length − 1 in a random order (Fisher and Yates). */
export function shuffled(length: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length }, (_, at) => at);
  for (let at = length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    const value = order[at] ?? 0;
    order[at] = order[other] ?? 0;
    order[other] = value;
  }
  return order;
}
