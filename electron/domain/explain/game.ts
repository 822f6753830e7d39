/**
 * The game that Shapley values share out. Its players are the columns of a file. A coalition has the values of the record; every
 * other column has the value of one row of the background ("interventional" values: Janzing, Minorics and Blöbaum 2020).
 */

/** Rows to be predicted, each a mix of the record and one row of the background. */
export interface Mixes {
  /** Row of the background that a mix takes the rest from. */
  readonly background: Uint32Array;
  /** Rows × players, row-major: 1 where the value is the record's. */
  readonly fromRecord: Uint8Array;
}

export interface Game {
  readonly players: number;
  /** Rows of the background. */
  readonly backgroundRows: number;
  /** Background rows × players, row-major: 0 where the record has the same value, so that swapping it cannot matter. */
  readonly differs: Uint8Array;
  /** What the model says of the record. */
  readonly value: number;
  /** What it says of each row of the background. */
  readonly backgroundValues: Float64Array;
  /** One prediction per mix; NaN where a mix cannot be predicted. */
  readonly predict: (mixes: Mixes) => Promise<Float64Array>;
}

export interface Attribution {
  /** What the model says of the record: `base` and all contributions add up to it. */
  readonly value: number;
  /** Mean prediction over the rows of the background that were compared with. */
  readonly base: number;
  /** One per player. */
  readonly contributions: Float64Array;
  /** Standard error of each; all 0 when the contributions are exact. */
  readonly errors: Float64Array;
  /** What the contributions are the mean of, samples × players, row-major: for resampling. */
  readonly samples: Float64Array;
  /** Predictions that it took. */
  readonly predictions: number;
}

/** Means and standard errors of samples that each add up to `value` minus the prediction of one background row. */
export function attributionOf(
  samples: Float64Array,
  facts: {
    readonly players: number;
    readonly value: number;
    readonly base: number;
    readonly exact: boolean;
    readonly predictions: number;
  },
): Attribution {
  const { players } = facts;
  const count = samples.length / Math.max(players, 1);
  const contributions = new Float64Array(players);
  const errors = new Float64Array(players);
  for (let player = 0; player < players; player += 1) {
    let sum = 0;
    for (let at = player; at < samples.length; at += players) sum += samples[at] ?? 0;
    const mean = sum / count;
    contributions[player] = mean;
    if (facts.exact) continue;
    let squares = 0;
    for (let at = player; at < samples.length; at += players)
      squares += ((samples[at] ?? 0) - mean) ** 2;
    // One sample says nothing of its own error.
    errors[player] = count > 1 ? Math.sqrt(squares / (count - 1) / count) : Number.NaN;
  }
  return {
    value: facts.value,
    base: facts.base,
    contributions,
    errors,
    samples,
    predictions: facts.predictions,
  };
}
