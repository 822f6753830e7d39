/** Media that fail: a full disk, read and write errors, folders and drives that are gone in the middle of an act. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { onStep } from '#platform/steps.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { openBareApp } from '../support/bare-app.ts';
import { canMount } from '../support/can-mount.ts';
import type { Place } from './act.ts';
import { acts, type ActName } from './acts.ts';
import { eachAtOnce, performDisturbed, type Ended } from './disturbed.ts';
import { inspectAfter } from './inspect.ts';
import { durableCalls, watch } from './kills.ts';
import { copyFor, type Prepared } from './prepared.ts';
import { resultsOf } from './runs.ts';
import type { Tally } from './table.ts';

/**
 * Each begins with a sign-in, or makes the vault. The number is more room than it needs, in KiB; two of them do not begin with
 * less than a reserve of 64 MiB.
 */
const disturbed = {
  init: 1200,
  importBundle: 1200,
  promote: 1200,
  run: 1200,
  keepRun: 72_000,
  rotateKeys: 1800,
  backup: 72_000,
  restore: 5000,
  eraseSubject: 1200,
  eraseData: 1200,
  eraseVersion: 1200,
  eraseDue: 1200,
} as const satisfies Partial<Record<ActName, number>>;
const disturbedActs = Object.keys(disturbed) as (keyof typeof disturbed)[];

/** A disk of its own for each try, with so many levels of room from none to enough. */
export async function performFullDisks(
  prepared: Prepared,
  tally: Tally,
  levels: number,
): Promise<void> {
  const tries = disturbedActs.flatMap((act) =>
    Array.from({ length: levels }, (_, at) => ({
      act,
      room: Math.round((disturbed[act] * at) / (levels - 1)),
    })),
  );
  await eachAtOnce(tries, async ({ act, room }) => {
    await tally.attempt('disk full', `${acts[act].name}, at ${levels} levels`, () =>
      onSmallDisk(prepared, act, async (dir, place) => {
        const { bavail, bsize } = statfsSync(dir);
        const ballast = join(dir, 'ballast');
        writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - room * 1024)));
        const ended = await performDisturbed({ act, dir, ...place }, undefined);
        rmSync(ballast);
        try {
          const outcome = await judge(act, dir, { place, ended, named: ['io'] });
          // Else the acts would end before they began, at all levels.
          if (room === disturbed[act]) assert.equal(outcome, 'done in spite of it');
          return outcome;
        } catch (error) {
          throw new Error(`room for ${room} KiB: ${messageOf(error)}`, { cause: error });
        }
      }),
    );
  });
}

async function onSmallDisk<T>(
  prepared: Prepared,
  act: ActName,
  work: (dir: string, place: Place) => Promise<T>,
): Promise<T> {
  const { dir, place } = await copyFor(prepared, act);
  const disk = `${dir}-disk`;
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', disk]);
  try {
    cpSync(dir, disk, { recursive: true });
    return await work(disk, place);
  } finally {
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
    rmSync(dir, { recursive: true });
  }
}

/** An error of the medium at every `step`-th call that writes, makes durable or names something in the vault. */
export async function performWriteErrors(
  prepared: Prepared,
  tally: Tally,
  step: number,
): Promise<void> {
  const tries = [];
  for (const act of disturbedActs)
    for (const counted of (await watch(prepared, act, `${durableCalls},write,pwrite64,pwritev`))
      .counted)
      tries.push({ act, ...counted });
  const chosen = tries.filter((_, at) => at % step === 0);
  await eachAtOnce(chosen, async ({ act, call, thread, nth }) => {
    await tally.attempt('write error', `${acts[act].name}, one system call`, async () => {
      const { dir, place } = await copyFor(prepared, act);
      try {
        const ended = await performDisturbed(
          { act, dir, ...place },
          { kind: 'call', calls: call, thread, nth, inject: 'error=EIO' },
        );
        if (ended.kind === 'killed')
          return `ended by its runtime, ${await inspectAfter(act, dir, place, false)} of it`;
        // What the medium would not remove stays, and the person removes it.
        if (call === 'unlink')
          for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }))
            if (name.endsWith('.part')) rmSync(join(dir, name));
        return await judge(act, dir, { place, ended, named: ['io', 'not-found'] });
      } catch (error) {
        throw new Error(`${call} ${thread} ${nth}: ${messageOf(error)}`, { cause: error });
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
  });
}

/** An error of the medium at the first reads of each file of a bundle, and of a table. */
export async function performReadErrors(prepared: Prepared, tally: Tally): Promise<void> {
  const second = join(prepared.material, 'second');
  const sources = readdirSync(second, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ act: 'importBundle', path: join(entry.parentPath, entry.name) }) as const);
  const table = { act: 'run', path: join(prepared.material, 'in.csv') } as const;
  const tries = [...sources, table].flatMap((source) => [1, 2].map((nth) => ({ ...source, nth })));
  await eachAtOnce(tries, async ({ act, path, nth }) => {
    await tally.attempt('read error', `${acts[act].name}, in a file of the medium`, async () => {
      const { dir, place } = await copyFor(prepared, act);
      const ended = await performDisturbed(
        { act, dir, ...place },
        {
          kind: 'call',
          calls: 'read,pread64,preadv,readv',
          thread: 'pool',
          nth,
          inject: 'error=EIO',
          path,
        },
      );
      const outcome = await judge(act, dir, { place, ended, named: ['io'] });
      rmSync(dir, { recursive: true });
      return outcome;
    });
  });
}

/** Media that go away when an act is at a named point, for good or until it has ended. */
export async function performVanishing(
  prepared: Prepared,
  tally: Tally,
  step: number,
): Promise<void> {
  const cases: readonly {
    readonly act: ActName;
    readonly what: string;
    readonly at: RegExp;
    readonly medium: (dir: string, material: string) => string;
    readonly comesBack: boolean;
    readonly named: readonly string[];
  }[] = [
    {
      act: 'importBundle',
      what: 'the medium of the bundle',
      at: /log: begin of bundle.import|import: object staged/,
      medium: (_dir, material) => join(material, 'second'),
      comesBack: false,
      // A mount point with nothing on it is a folder with no model in it.
      named: ['not-found', 'io', 'refused'],
    },
    {
      act: 'run',
      what: 'the medium of the output',
      at: /log: begin of run|^run: (recorded as started|part files|output named|predictions)/,
      medium: resultsOf,
      comesBack: false,
      named: ['not-found', 'io'],
    },
    {
      act: 'backup',
      what: 'the medium of the backup',
      at: /log: begin of vault.backup|^backup: (databases|a piece|all pieces)/,
      medium: (dir) => join(dir, 'medium'),
      comesBack: false,
      named: ['not-found', 'io', 'corrupt'],
    },
    {
      act: 'restore',
      what: 'the medium of the backup',
      at: /^restore: (begun|a file|all but)/,
      medium: (dir) => join(dir, 'medium'),
      comesBack: true,
      named: ['not-found', 'io', 'corrupt'],
    },
    {
      act: 'importBundle',
      what: 'the medium of the vault',
      at: /./,
      medium: (dir) => join(dir, 'vault'),
      comesBack: true,
      named: ['not-found', 'io', 'corrupt', 'locked'],
    },
    {
      act: 'eraseDue',
      what: 'the medium of the vault',
      at: /./,
      medium: (dir) => join(dir, 'vault'),
      comesBack: true,
      named: ['not-found', 'io', 'corrupt', 'locked'],
    },
  ];
  for (const { act, what, at, medium, comesBack, named } of cases) {
    const { points } = await watch(prepared, act);
    for (const [index, point] of points.entries())
      if (at.test(point) && index % step === 0)
        await tally.attempt('vanished medium', `${acts[act].name}: ${what}`, async () => {
          const { dir, place: copied } = await copyFor(prepared, act);
          // Beside it: nothing of it may be found inside.
          const material = `${dir}-material`;
          cpSync(prepared.material, material, { recursive: true });
          const place = { ...copied, material };
          const plugged = plugIn(medium(dir, material), dir);
          try {
            const ended = await performHere({ act, dir, place }, index + 1, plugged.pull);
            if (comesBack) plugged.putBack();
            return await judge(act, dir, {
              place: { ...place, material: prepared.material },
              ended,
              named,
            });
          } catch (error) {
            throw new Error(`${point} (${index + 1}): ${messageOf(error)}`, { cause: error });
          } finally {
            plugged.discard();
            rmSync(material, { recursive: true, force: true });
            rmSync(dir, { recursive: true, force: true });
          }
        });
  }
}

interface Plugged {
  pull(): void;
  putBack(): void;
  discard(): void;
}

/** Makes the folder a medium of its own, where the machine lets us; elsewhere its name goes away. */
function plugIn(path: string, dir: string): Plugged {
  const store = `${dir}-store`;
  mkdirSync(path, { recursive: true });
  if (canMount) {
    renameSync(path, store);
    mkdirSync(path);
    execFileSync('mount', ['--bind', store, path]);
  }
  let isIn = true;
  const pull = (): void => {
    if (isIn && canMount) execFileSync('umount', ['-l', path]);
    else if (isIn) renameSync(path, store);
    isIn = false;
  };
  return {
    pull,
    putBack() {
      pull();
      rmSync(path, { recursive: true, force: true });
      renameSync(store, path);
    },
    discard() {
      pull();
      rmSync(store, { recursive: true, force: true });
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The act in this process, with something done at the n-th point. */
async function performHere(
  { act, dir, place }: { readonly act: ActName; readonly dir: string; readonly place: Place },
  nth: number,
  vanish: () => void,
): Promise<Ended> {
  let passed = 0;
  onStep(() => {
    passed += 1;
    if (passed === nth) vanish();
  });
  mkdirSync(join(dir, 'temporary'), { recursive: true });
  const opened = openBareApp(dir);
  try {
    await acts[act].perform(opened, place);
    return { kind: 'performed', points: [], error: null };
  } catch (error) {
    return { kind: 'performed', points: [], error: errorToBody(error) };
  } finally {
    await opened.app.close();
    onStep(() => undefined);
  }
}

/** What was told must be true, what is wrong must have its name, and the vault must be whole. */
async function judge(
  act: ActName,
  dir: string,
  {
    place,
    ended,
    named,
  }: { readonly place: Place; readonly ended: Ended; readonly named: readonly string[] },
): Promise<string> {
  assert.equal(ended.kind, 'performed', 'the child was killed');
  const error = ended.kind === 'performed' ? ended.error : null;
  if (error !== null)
    assert.ok(named.includes(error.code), `it was called ${error.code}: ${error.message}`);
  const found = await inspectAfter(act, dir, place, true);
  if (error === null) {
    assert.equal(found, 'all', 'told as done, and not found');
    return 'done in spite of it';
  }
  return `named (${error.code}), ${found} of it`;
}
