/**
 * Shapley values by sampling orders of the players (Castro, Gómez and Tejada 2009), each order together with its reverse
 * (antithetic pairs: Mitchell, Cooper, Frank and Holmes 2022). A pair is walked against one row of the background, and what it
 * gives adds up to f(record) − f(row) by construction. Background rows take turns, so each counts the same.
 */
import { AppError } from '#shared/errors.ts';
import { attributionOf, type Attribution, type Game, type Mixes } from './game.ts';
import { createRandom, shuffled, type Random } from './random.ts';

/** Mixes that one call of the model takes at most. */
const mostMixes = 8192;

export interface SamplingOptions {
  /** Orders to walk; two to a pair. Rounded up so that every background row is used equally often, once there is a pair for each. */
  readonly permutations: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Throws `unsupported` when the model cannot predict a mix. */
export async function sampleShapley(game: Game, options: SamplingOptions): Promise<Attribution> {
  const { players, backgroundRows } = game;
  if (backgroundRows === 0)
    throw new AppError('unsupported', 'There are no rows to compare the record with.');
  const random = createRandom(options.seed);
  const wanted = Math.max(1, Math.ceil(options.permutations / 2));
  const pairs =
    wanted < backgroundRows ? wanted : Math.ceil(wanted / backgroundRows) * backgroundRows;
  const rows = shuffled(backgroundRows, random);
  const samples = new Float64Array(pairs * players);
  let base = 0;
  let predictions = 0;
  let walks: Walk[] = [];
  let mixes = 0;
  const walkAll = async (): Promise<void> => {
    options.signal?.throwIfAborted();
    if (walks.length === 0) return;
    predictions += mixes;
    const values = mixes === 0 ? new Float64Array() : await game.predict(mixesOf(walks, players));
    addMargins(game, { walks, values, samples });
    walks = [];
    mixes = 0;
  };
  for (let pair = 0; pair < pairs; pair += 1) {
    const background = rows[pair % backgroundRows] ?? 0;
    base += (game.backgroundValues[background] ?? Number.NaN) / pairs;
    const order = differingPlayers(game, background, random);
    for (const each of [order, order.toReversed()]) {
      walks.push({ pair, background, order: each });
      mixes += Math.max(0, each.length - 1);
    }
    if (mixes >= mostMixes) await walkAll();
  }
  await walkAll();
  if (samples.some(Number.isNaN) || Number.isNaN(base)) throw notPredictable();
  return attributionOf(samples, { players, value: game.value, base, exact: false, predictions });
}

/** One order in which the players go over from the background row to the record. */
interface Walk {
  readonly pair: number;
  readonly background: number;
  readonly order: Uint32Array;
}

/** Those whose value is the same on both sides stay out: they change nothing wherever they stand. */
function differingPlayers(game: Game, background: number, random: Random): Uint32Array {
  const first = background * game.players;
  return shuffled(game.players, random).filter((player) => game.differs[first + player] === 1);
}

/** All steps but the first and the last, whose predictions are known. */
function mixesOf(walks: readonly Walk[], players: number): Mixes {
  const count = walks.reduce((sum, { order }) => sum + Math.max(0, order.length - 1), 0);
  const background = new Uint32Array(count);
  const fromRecord = new Uint8Array(count * players);
  let row = 0;
  for (const walk of walks) {
    for (let step = 1; step < walk.order.length; step += 1) {
      background[row] = walk.background;
      for (let at = 0; at < step; at += 1) fromRecord[row * players + (walk.order[at] ?? 0)] = 1;
      row += 1;
    }
  }
  return { background, fromRecord };
}

function addMargins(
  game: Game,
  {
    walks,
    values,
    samples,
  }: { walks: readonly Walk[]; values: Float64Array; samples: Float64Array },
): void {
  let row = 0;
  for (const { pair, background, order } of walks) {
    let before = game.backgroundValues[background] ?? Number.NaN;
    for (const [step, player] of order.entries()) {
      const after = step === order.length - 1 ? game.value : (values[row++] ?? Number.NaN);
      samples[pair * game.players + player] =
        (samples[pair * game.players + player] ?? 0) + (after - before) / 2;
      before = after;
    }
  }
}

function notPredictable(): AppError {
  return new AppError(
    'unsupported',
    'The model cannot predict every mix of this record and the rows it is compared with, so the prediction cannot be shared out.',
  );
}
