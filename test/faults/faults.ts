/**
 * Tries the faults and prints the table of what came of them; what does not hold is told at once. `npm run faults` does what the
 * tests do; `-- --kills 5000` kills that often, at points and calls in turn, with `--random` after random times; `--seed N`
 * repeats a random run; `--thorough` tries every byte and every level; `--only kills` leaves out the rest, `--acts run,backup`
 * kills no others. Control-C prints what has been tried so far. Ends with 1 when something did not hold.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { canMount } from '../support/can-mount.ts';
import { acts, type ActName } from './acts.ts';
import { performDamage } from './damage.ts';
import { performBackupDamage } from './damage-backup.ts';
import { killsOf, performKills, randomKill, watch, type Kill, type Watched } from './kills.ts';
import { performJumps } from './clocks.ts';
import {
  performFullDisks,
  performReadErrors,
  performVanishing,
  performWriteErrors,
} from './media.ts';
import { prepare, type Prepared } from './prepared.ts';
import { createTally, rowsToText, type Tally } from './table.ts';
import { performTwice } from './twice.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    random: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    thorough: { type: 'boolean', default: false },
    only: { type: 'string' },
    acts: { type: 'string', default: Object.keys(acts).join() },
  },
});

const families: Readonly<Record<string, (prepared: Prepared, tally: Tally) => Promise<void>>> = {
  kills: killFamily,
  damage: (from, into) => performDamage(from, into, values.thorough ? 1 : 24),
  backups: (from, into) => performBackupDamage(from, into, values.thorough ? 1 : 24),
  full: async (from, into) => {
    if (canMount) await performFullDisks(from, into, values.thorough ? 301 : 7);
  },
  writes: (from, into) => performWriteErrors(from, into, values.thorough ? 1 : 60),
  reads: performReadErrors,
  vanishing: (from, into) => performVanishing(from, into, values.thorough ? 1 : 3),
  twice: (from, into) => performTwice(from, into, values.thorough ? 20 : 1),
  clocks: performJumps,
};

/** A prime, so that a part of all kills comes from all acts, and a multiple of them from each as often. */
const spread = 7919;

const tally = createTally((wrong) => process.stderr.write(`WRONG ${wrong}\n`));
process.once('SIGINT', () => {
  print();
  rmSync(prepared.dir, { recursive: true, force: true });
  process.exit(130);
});
const prepared = await prepare();
try {
  for (const [name, perform] of Object.entries(families))
    if (values.only === undefined || values.only === name) await perform(prepared, tally);
} finally {
  rmSync(prepared.dir, { recursive: true, force: true });
}
print();
process.exitCode = tally.wrong().length === 0 ? 0 : 1;

function print(): void {
  process.stdout.write(`${rowsToText(tally.rows())}\n`);
  for (const wrong of tally.wrong()) process.stdout.write(`\nWRONG ${wrong}\n`);
}

async function killFamily(from: Prepared, into: Tally): Promise<void> {
  const watched: (readonly [ActName, Watched])[] = [];
  const wanted = values.acts.split(',');
  for (const act of Object.keys(acts) as ActName[])
    if (wanted.includes(act)) watched.push([act, await watch(from, act)]);
  const all = watched.flatMap(([act, seen]) => killsOf(act, seen));
  await performKills(from, values.random ? randomKills(watched) : asManyAs(all), into);
}

function randomKills(watched: readonly (readonly [ActName, Watched])[]): Kill[] {
  process.stderr.write(`Random times, seed ${values.seed}.\n`);
  const random = randomNumbers(Number(values.seed));
  return Array.from({ length: Number(values.kills ?? 200) }, () => {
    const [act, seen] = watched[Math.floor(random() * watched.length)] ?? watched[0] ?? [];
    if (act === undefined || seen === undefined) throw new Error('There is no act to kill.');
    return randomKill(act, seen, random);
  });
}

/** All of them, or as many as asked for, over and over. */
function asManyAs(all: readonly Kill[]): readonly Kill[] {
  if (values.kills === undefined) return all;
  return Array.from(
    { length: Number(values.kills) },
    (_, at) => all[(at * spread) % all.length],
  ).filter((kill) => kill !== undefined);
}

/** Mulberry32: numbers from 0 to 1 that a seed repeats. */
function randomNumbers(seed: number): () => number {
  let state = Math.trunc(seed);
  return () => {
    state = Math.trunc(state + 0x6d2b79f5);
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
