/**
 * In the child: how a prediction is shared out among the columns of a record, against rows of a background. Exactly where the
 * graph has one linear layer or one ensemble of trees and each of its elements comes from one column; by sampling elsewhere.
 * That a model is such a one is not believed but tried: scores, owners and random mixes are checked against the runtime.
 */
import {
  attributionOf,
  createRandom,
  exactCost,
  exactSamples,
  findAdditivePart,
  findOwners,
  frontOf,
  frontOutput,
  matchedScores,
  matchOutput,
  sampleShapley,
  scoreToOutput,
  type AdditivePart,
  type Attribution,
  type Elements,
  type Game,
  type Match,
  type Scale,
} from '#domain/explain/index.ts';
import { parseModel, writeModel } from '#domain/onnx/index.ts';
import type { ColumnData } from '#domain/tables/index.ts';
import { loadModelFrom, type LoadedModel } from '../runtime.ts';
import { openSealed } from '../sealed-file.ts';
import { mixColumns, sameValue } from './columns.ts';
import type { ResidentContext } from './kinds.ts';
import type { RecordModel } from './record-model.ts';

export interface Explained {
  readonly attribution: Attribution;
  readonly method: 'linear' | 'trees' | 'sampling';
  readonly scale: Scale;
}

export interface AttributeRequest {
  readonly record: readonly ColumnData[];
  /** The prediction of the record. */
  readonly value: number;
  readonly background: readonly ColumnData[];
  readonly backgroundValues: Float64Array;
  readonly target: string;
  readonly permutations: number;
  readonly seed: number;
}

/** Larger models are explained by sampling; reading them once more would take too long. */
const largestExact = 64 * 2 ** 20;
const mostExactCost = 30_000_000;
const mostSwaps = 200_000;
const triedMixes = 64;
const fewRows = 8;
/** Of the size of a prediction: the runtime adds in 32 bits. */
const tolerance = 1e-4;

export async function attribute(
  context: ResidentContext,
  model: RecordModel,
  request: AttributeRequest,
): Promise<Explained> {
  const game = gameOf(model, request);
  const exact = await tryExactly(context, model, { ...request, game });
  if (exact !== undefined) return exact;
  const { permutations, seed } = request;
  return {
    attribution: await sampleShapley(game, { permutations, seed }),
    method: 'sampling',
    scale: 'output',
  };
}

function gameOf(model: RecordModel, request: AttributeRequest): Game {
  const { record, background, backgroundValues, target, value } = request;
  const players = record.length;
  const rows = backgroundValues.length;
  const differs = new Uint8Array(rows * players);
  for (const [player, own] of record.entries()) {
    const others = background[player] ?? own;
    for (let row = 0; row < rows; row += 1)
      differs[row * players + player] = sameValue(own, 0, others, row) ? 0 : 1;
  }
  return {
    players,
    backgroundRows: rows,
    differs,
    value,
    backgroundValues,
    predict: (mixes) => model.scores(mixColumns(record, background, mixes), target),
  };
}

async function tryExactly(
  context: ResidentContext,
  model: RecordModel,
  request: AttributeRequest & { readonly game: Game },
): Promise<Explained | undefined> {
  const { game, record, background } = request;
  const { players, backgroundRows: rows } = game;
  if (rows * players > mostSwaps) return undefined;
  const additive = await additiveOf(context);
  if (additive === undefined) return undefined;
  const cost = additive.part.scores.map((part) => exactCost(part, rows + 1));
  if (Math.max(...cost) > mostExactCost) return undefined;
  const elementsOf = async (columns: readonly ColumnData[]): Promise<Elements | undefined> =>
    elements(additive, model, columns);
  const own = await elementsOf(record);
  const others = await elementsOf(background);
  if (own === undefined || others === undefined || own.width !== others.width) return undefined;
  const { width } = own;
  const match = matchOutput(additive.part, {
    elements: { width, values: [...toArray(own.values), ...toArray(others.values)] },
    outputs: Float64Array.from([request.value, ...request.backgroundValues]),
  });
  if (match === undefined || match.terms.some(({ part }) => part.width > width)) return undefined;
  const ownersOver = async (count: number): Promise<Int32Array | undefined> => {
    const swapped = await elementsOf(mixColumns(record, background, singleSwaps(count, players)));
    const some = { width, values: toArray(others.values).slice(0, count * width) };
    return swapped === undefined
      ? undefined
      : findOwners({ record: own.values, background: some, swapped, players });
  };
  // A few rows tell most models that no column owns an element of theirs alone.
  if ((await ownersOver(Math.min(rows, fewRows))) === undefined) return undefined;
  const owner = await ownersOver(rows);
  if (owner === undefined || !(await mixesAgree({ game, match, own, others, owner })))
    return undefined;
  const samples = new Float64Array(rows * players);
  for (const { part, factor } of match.terms) {
    const each = exactSamples(part, { record: own.values, background: others }, { owner, players });
    for (const [at, value] of each.entries()) samples[at] = (samples[at] ?? 0) + factor * value;
  }
  const base = matchedScores(match, others);
  return {
    attribution: attributionOf(samples, {
      players,
      value: matchedScores(match, own)[0] ?? Number.NaN,
      base: base.reduce((sum, value) => sum + value, 0) / rows,
      exact: true,
      predictions: rows * players + triedMixes,
    }),
    method: match.terms[0]?.part.kind === 'linear' ? 'linear' : 'trees',
    scale: match.scale,
  };
}

interface Additive {
  readonly part: AdditivePart;
  /** What comes before the part; undefined when it takes an input of the model as it is. */
  readonly front: LoadedModel | undefined;
}

const additives = new WeakMap<ResidentContext, Promise<Additive | undefined>>();

function additiveOf(context: ResidentContext): Promise<Additive | undefined> {
  const known = additives.get(context);
  if (known !== undefined) return known;
  const made = readAdditive(context);
  additives.set(context, made);
  return made;
}

/** Whatever is in the way of it, there is the sampling. */
async function readAdditive({ files }: ResidentContext): Promise<Additive | undefined> {
  if (files.model.sizeBytes > largestExact) return undefined;
  const bytes = await (await openSealed(files.model)).readAll();
  try {
    const model = parseModel(bytes);
    const part = findAdditivePart(model);
    if (part === undefined) return undefined;
    const front = frontOf(model, part.input);
    return {
      part,
      front:
        front === undefined
          ? undefined
          : await loadModelFrom(writeModel(front), { runtime: 'native', threads: 1 }),
    };
  } catch {
    return undefined;
  } finally {
    bytes.fill(0);
  }
}

/** Undefined when a row cannot be fed, or the elements are no matrix of numbers. */
async function elements(
  { part, front }: Additive,
  { plan }: RecordModel,
  columns: readonly ColumnData[],
): Promise<Elements | undefined> {
  const rows = columns[0]?.values.length ?? 0;
  if (plan.fixedBatch !== undefined) return undefined;
  const { tensors, kept } = await plan.toFeeds({
    firstRow: 1,
    rows,
    columns,
    bad: [],
    raw: undefined,
  });
  if (kept.length !== rows || rows === 0) return undefined;
  const found = front === undefined ? tensors[part.input] : (await front.run(tensors))[frontOutput];
  if (found === undefined || found.type === 'string' || found.data.length % rows !== 0)
    return undefined;
  const width = found.data.length / rows;
  return { width, values: Float64Array.from(found.data as ArrayLike<number>, Number) };
}

/** For each background row and each player: the record with that player's value of the row. */
function singleSwaps(rows: number, players: number) {
  const fromRecord = new Uint8Array(rows * players * players).fill(1);
  for (let at = 0; at < rows * players; at += 1) fromRecord[at * players + (at % players)] = 0;
  return {
    background: Uint32Array.from({ length: rows * players }, (_, at) => Math.floor(at / players)),
    fromRecord,
  };
}

/** Random mixes, predicted by the model and computed from the elements. */
async function mixesAgree(facts: {
  readonly game: Game;
  readonly match: Match;
  readonly own: Elements;
  readonly others: Elements;
  readonly owner: Int32Array;
}): Promise<boolean> {
  const { game, match, own, others, owner } = facts;
  const { players } = game;
  const { width } = own;
  const random = createRandom(1);
  const background = Uint32Array.from({ length: triedMixes }, () =>
    random.below(game.backgroundRows),
  );
  const fromRecord = Uint8Array.from({ length: triedMixes * players }, () => random.below(2));
  const predicted = await game.predict({ background, fromRecord });
  const values = new Float64Array(triedMixes * width);
  for (let mix = 0; mix < triedMixes; mix += 1) {
    for (let element = 0; element < width; element += 1) {
      const player = owner[element] ?? -1;
      values[mix * width + element] =
        player < 0 || fromRecord[mix * players + player] === 1
          ? (own.values[element] ?? 0)
          : (others.values[(background[mix] ?? 0) * width + element] ?? 0);
    }
  }
  return matchedScores(match, { width, values }).every((score, at) => {
    const value = predicted[at] ?? Number.NaN;
    return (
      Math.abs(scoreToOutput(match.scale, score) - value) <=
      tolerance * Math.max(1, Math.abs(value))
    );
  });
}

function toArray(values: ArrayLike<number>): number[] {
  return Array.from(values);
}
