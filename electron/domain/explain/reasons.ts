/**
 * Principal reasons of an adverse decision: which columns hold the prediction back against people who only just passed, and
 * whether the same reasons come out when those people are drawn again (12 CFR 1002, appendix to the official commentary on
 * § 1002.9(b)(2), names this comparison as one method).
 */
import type { Attribution } from './game.ts';
import { createRandom } from './random.ts';

export interface RankedReason {
  readonly player: number;
  /** How far it moves the score to the adverse side; above 0. */
  readonly push: number;
  /** Share of the draws in which it was among the reasons. */
  readonly stability: number;
}

export interface RankedReasons {
  readonly reasons: readonly RankedReason[];
  /** Share of the draws in which the same set of reasons came out. */
  readonly sameSet: number;
  readonly draws: number;
}

/** `direction` 1: a higher score is adverse; −1: a lower one. `most` reasons at most, the strongest first. */
export function rankReasons(
  attribution: Attribution,
  options: {
    readonly direction: 1 | -1;
    readonly most: number;
    readonly draws: number;
    readonly seed: number;
  },
): RankedReasons {
  const players = attribution.contributions.length;
  const count = attribution.samples.length / Math.max(1, players);
  const top = topOf(attribution.contributions, options);
  const random = createRandom(options.seed);
  const times = new Uint32Array(players);
  const key = [...top].sort((a, b) => a - b).join();
  let same = 0;
  const means = new Float64Array(players);
  for (let draw = 0; draw < options.draws; draw += 1) {
    means.fill(0);
    for (let taken = 0; taken < count; taken += 1) {
      const first = random.below(count) * players;
      for (let player = 0; player < players; player += 1)
        means[player] = (means[player] ?? 0) + (attribution.samples[first + player] ?? 0);
    }
    const drawn = topOf(means, options);
    for (const player of drawn) times[player] = (times[player] ?? 0) + 1;
    if ([...drawn].sort((a, b) => a - b).join() === key) same += 1;
  }
  return {
    reasons: top.map((player) => ({
      player,
      push: options.direction * (attribution.contributions[player] ?? 0),
      stability: (times[player] ?? 0) / options.draws,
    })),
    sameSet: same / options.draws,
    draws: options.draws,
  };
}

/**
 * Rows of the reference on the favourable side of the threshold, nearest first: the population just above it. A fifth of those
 * that passed, but at least `least` where there are as many.
 */
export function justPassed(
  values: Float64Array,
  options: {
    readonly isAdverse: (value: number) => boolean;
    readonly threshold: number;
    readonly least: number;
    readonly most: number;
  },
): Uint32Array {
  const passed = [...values.keys()]
    .filter((row) => {
      const value = values[row] ?? Number.NaN;
      return !Number.isNaN(value) && !options.isAdverse(value);
    })
    .sort(
      (a, b) =>
        Math.abs((values[a] ?? 0) - options.threshold) -
          Math.abs((values[b] ?? 0) - options.threshold) || a - b,
    );
  const count = Math.min(options.most, Math.max(options.least, Math.ceil(passed.length / 5)));
  return Uint32Array.from(passed.slice(0, count)).sort();
}

function topOf(
  contributions: Float64Array,
  { direction, most }: { readonly direction: 1 | -1; readonly most: number },
): number[] {
  return [...contributions.keys()]
    .filter((player) => direction * (contributions[player] ?? 0) > 0)
    .sort((a, b) => direction * ((contributions[b] ?? 0) - (contributions[a] ?? 0)) || a - b)
    .slice(0, most);
}
