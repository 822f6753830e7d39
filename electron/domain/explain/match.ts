/**
 * Which score of an additive part an output is made of, found by trying: the scores are computed here and compared with what the
 * runtime gave for the same rows. So nothing that stands between the part and the output has to be understood.
 */
import type { AdditivePart } from './additive.ts';
import { scoresOf, type Elements, type ScorePart } from './exact.ts';

/** `output`: contributions add up to the output itself. `log-odds`: to ln(p / (1 − p)) of the probability that it is. */
export type Scale = 'output' | 'log-odds';

export interface Match {
  /** Parts whose scores, times their factor, add up to the score of the output; `offset` is added. */
  readonly terms: readonly { readonly part: ScorePart; readonly factor: number }[];
  readonly offset: number;
  readonly scale: Scale;
}

/** Of the size of the output: the runtime adds in 32 bits. */
const tolerance = 1e-4;

/** Undefined when no score explains the outputs of all rows. */
export function matchOutput(
  { scores }: AdditivePart,
  rows: { readonly elements: Elements; readonly outputs: Float64Array },
): Match | undefined {
  const computed = scores.map((part) => scoresOf(part, rows.elements));
  const single = scores.map((part, at) => [{ part, at, factor: 1 }]);
  const [first, second] = scores;
  const candidates = [
    ...single,
    // Two classes: what counts is by how much one is ahead of the other.
    ...(first !== undefined && second !== undefined && scores.length === 2
      ? [
          [
            { part: second, at: 1, factor: 1 },
            { part: first, at: 0, factor: -1 },
          ],
        ]
      : []),
  ];
  for (const terms of candidates) {
    for (const sign of [1, -1]) {
      const score = Float64Array.from(rows.outputs, (_, row) =>
        terms.reduce((sum, { at, factor }) => sum + sign * factor * (computed[at]?.[row] ?? 0), 0),
      );
      const found = forms.find(({ toOutput }) => agree(score.map(toOutput), rows.outputs));
      if (found === undefined) continue;
      return {
        terms: terms.map(({ part, factor }) => ({ part, factor: sign * factor })),
        offset: found.offset,
        scale: found.scale,
      };
    }
  }
  return undefined;
}

/** The score that `terms` and `offset` make of rows of elements. */
export function matchedScores({ terms, offset }: Match, elements: Elements): Float64Array {
  const parts = terms.map(({ part, factor }) => ({ factor, scores: scoresOf(part, elements) }));
  const rows = parts[0]?.scores.length ?? 0;
  return Float64Array.from({ length: rows }, (_, row) =>
    parts.reduce((sum, { factor, scores }) => sum + factor * (scores[row] ?? 0), offset),
  );
}

/** Back from the scale of contributions to that of the output. */
export function scoreToOutput(scale: Scale, score: number): number {
  return scale === 'log-odds' ? logistic(score) : score;
}

const logistic = (score: number): number => 1 / (1 + Math.exp(-score));

const forms: readonly {
  readonly toOutput: (score: number) => number;
  readonly offset: number;
  readonly scale: Scale;
}[] = [
  { toOutput: (score) => score, offset: 0, scale: 'output' },
  // The other class of two, whose probability is what is left.
  { toOutput: (score) => 1 + score, offset: 1, scale: 'output' },
  { toOutput: logistic, offset: 0, scale: 'log-odds' },
];

function agree(found: Float64Array, expected: Float64Array): boolean {
  return expected.every(
    (value, at) =>
      Math.abs((found[at] ?? Number.NaN) - value) <= tolerance * Math.max(1, Math.abs(value)),
  );
}
