/**
 * Flipped bits and cut-off ends in every file of a vault, sealed or left by a kill. What somebody sees of the vault afterwards is
 * compared with what they saw before: damage is found and named, or changes nothing; never is something else shown.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { AppError } from '#shared/errors.ts';
import { vaultSchema } from '#app/open-state.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { openVault } from '#domain/vault/index.ts';
import { openBareApp } from '../support/bare-app.ts';
import { ada, canaries } from './act.ts';
import { performDisturbed } from './disturbed.ts';
import { copyFor, type Prepared } from './prepared.ts';
import type { Tally } from './table.ts';

/** What damage may be called. */
export const namesOfDamage = [
  'broken',
  'corrupt',
  'tampered',
  'wrong-password',
  'unsupported',
  'not-found',
  'io',
  'limit',
];

interface Victim {
  readonly state: 'sealed' | 'left by a kill';
  readonly dir: string;
  readonly seen: Readonly<Record<string, unknown>>;
  readonly logSize: number;
}

/** Every `step`-th of the places worth damaging; 1 tries all of them. */
export async function performDamage(prepared: Prepared, tally: Tally, step: number): Promise<void> {
  for (const victim of [await sealedVictim(prepared), await killedVictim(prepared)]) {
    const files = filesIn(victim.dir).map((path) => relative(victim.dir, path));
    for (const file of files) {
      const { size } = statSync(join(victim.dir, file));
      const where = `${kindOf(file)}, ${victim.state}`;
      for (const at of everyNth(placesIn(file, size), step))
        await tally.attempt('flipped bit', where, () =>
          damaged(victim, file, (bytes) => flipBit(bytes, at), `bit of byte ${at}`),
        );
      for (const length of everyNth(endsOf(file, size), Math.ceil(step / 4)))
        await tally.attempt('cut off', where, () =>
          damaged(
            victim,
            file,
            (bytes) => bytes.subarray(0, length),
            `cut to ${length} of ${size}`,
          ),
        );
      if (step === 1 || !file.startsWith('objects'))
        await tally.attempt('missing', where, () =>
          damaged(victim, file, () => undefined, 'missing'),
        );
    }
  }
}

export function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

export function flipBit(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
  return bytes;
}

export function everyNth(places: readonly number[], step: number): number[] {
  return places.filter((_, at) => at % step === 0);
}

function kindOf(file: string): string {
  return file.startsWith('objects') ? 'object' : basename(file);
}

/** Offsets: of each page its salt or first bytes, its middle, IV and HMAC; of each segment its length, IV, text and tag. */
function placesIn(file: string, size: number): number[] {
  const inside = (places: number[]): number[] => places.filter((at) => at >= 0 && at < size);
  const units = (length: number, start: number): number[] =>
    Array.from(
      { length: Math.ceil(Math.max(0, size - start) / length) },
      (_, at) => start + at * length,
    );
  if (file.endsWith('.db'))
    return inside(
      units(4096, 0).flatMap((page) => [0, 20, 1500, 4016, 4032, 4095].map((at) => page + at)),
    );
  if (file.endsWith('-wal'))
    return inside([
      0,
      9,
      17,
      25,
      ...units(4120, 32).flatMap((frame) => [0, 5, 9, 17, 24, 1500, 4119].map((at) => frame + at)),
    ]);
  if (file.endsWith('-shm')) return inside(units(37, 0).slice(0, 60));
  if (file.startsWith('objects'))
    return inside([
      0,
      4,
      8,
      12,
      40,
      50,
      73,
      ...units(1_048_576, 74).flatMap((segment) => [0, 3, 5, 20, 700].map((at) => segment + at)),
      size - 1,
    ]);
  return inside(units(5, 0));
}

function endsOf(file: string, size: number): number[] {
  const unit = file.endsWith('.db')
    ? 4096
    : file.endsWith('-wal')
      ? 4120
      : file.startsWith('objects')
        ? 1_048_576
        : 500;
  const start = file.endsWith('-wal') ? 32 : file.startsWith('objects') ? 74 : 0;
  const ends = [0, 1, size - 1];
  for (let at = start; at < size; at += unit) ends.push(at, at + 1, at - 1);
  return [...new Set(ends)].filter((length) => length >= 0 && length < size);
}

/** Damages one file of a copy and says how that was found. Throws for what was not found. */
async function damaged(
  victim: Victim,
  file: string,
  change: (bytes: Buffer) => Buffer | undefined,
  what: string,
): Promise<string> {
  const dir = mkdtempSync(`${victim.dir}-`);
  try {
    cpSync(victim.dir, join(dir, 'vault'), { recursive: true });
    const path = join(dir, 'vault', file);
    const bytes = change(readFileSync(path));
    if (bytes === undefined) rmSync(path);
    else writeFileSync(path, bytes);
    const seen = await lookAt(dir, victim.logSize).catch(
      (error: unknown) => errorToBody(error).code,
    );
    if (typeof seen === 'string') {
      assert.ok(namesOfDamage.includes(seen), `${file}, ${what}: it was called ${seen}`);
      return `found, ${seen}`;
    }
    try {
      assert.deepEqual(seen, victim.seen);
    } catch (error) {
      throw new Error(
        `${file}, ${what}: unnoticed, and other things are shown. ${(error as Error).message.slice(0, 800)}`,
        { cause: error },
      );
    }
    return 'harmless';
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All that can be seen of a vault by somebody who signs in, without what the signing in has added. Throws what is found. */
export async function lookAt(
  dir: string,
  logSize: number,
): Promise<Readonly<Record<string, unknown>>> {
  const { app, client, wait } = openBareApp(dir);
  const seen: Record<string, unknown> = {};
  try {
    await client.vault.signIn(ada);
    const verdict = await wait(contract.audit.verify, client.audit.verify({}));
    if (verdict.status !== 'intact') throw new AppError('tampered', 'Found by verification.');
    seen['users'] = (await client.users.list(null)).map(({ lastSignIn: _at, ...user }) => user);
    seen['trust'] = await client.trust.list(null);
    seen['policy'] = await client.policy.show(null);
    seen['models'] = await client.models.list(null);
    for (const { name } of await client.models.list(null)) {
      const shown = await client.models.show({ model: name });
      seen[name] = [shown, await client.models.history({ model: name })];
      for (const { version } of shown.versions)
        seen[`${name}@${version}`] = [
          await client.models.version({ version: `${name}@${version}` }),
          await client.monitor.show({ version: `${name}@${version}` }),
        ];
    }
    const runs = await client.runs.list({});
    seen['runs'] = await Promise.all(runs.map(({ runId }) => client.runs.show({ runId })));
    // A person is found by an index of their own, and opened by a key of their own.
    seen['person'] = await client.erasure.showSubject({ subject: canaries.person });
    seen['erasure'] = await client.erasure.overview(null);
    seen['backups'] = await client.backups.list(null);
    const { entries } = await client.audit.list({ limit: 500 });
    // An outcome that was lost is written again from what the catalog remembers: another time, the same story.
    seen['log'] = entries
      .filter(({ entry }) => entry.index < logSize)
      .map(({ entry: { index, phase, action, actor, of, outcome, objects } }) => [
        index,
        phase,
        action,
        actor,
        of,
        outcome,
        objects,
      ]);
  } finally {
    await app.close();
  }
  seen['objects'] = await digestsOfObjects(dir);
  return seen;
}

async function digestsOfObjects(dir: string): Promise<Readonly<Record<string, string>>> {
  const vault = await openVault({
    dir: join(dir, 'vault'),
    ...ada,
    clock: () => new Date(),
    schema: vaultSchema,
  });
  try {
    const digests: Record<string, string> = {};
    for (const id of vault.catalog
      .prepare<[], string>('SELECT id FROM objects ORDER BY id')
      .pluck()
      .all()) {
      const object = await vault.objects.open(id);
      digests[id] = createHash('sha256')
        .update(await object.readAll())
        .digest('hex');
      await object.close();
    }
    return digests;
  } finally {
    vault.close();
  }
}

/** With kept rows, a backup, a run, a promotion and a wrong password. */
async function sealedVictim(prepared: Prepared): Promise<Victim> {
  const { dir, place } = await copyFor(prepared, 'backup');
  await performDisturbed({ act: 'backup', dir, ...place }, undefined);
  await performDisturbed({ act: 'run', dir, ...place }, undefined);
  await performDisturbed({ act: 'promote', dir, ...place }, undefined);
  const { client } = openBareApp(dir);
  await client.vault.signIn({ user: 'ada', password: 'a guess' }).catch(() => undefined);
  return victimOf(dir, 'sealed');
}

/** Killed when its last act was done and said so, with all of it still in the write-ahead logs. */
async function killedVictim(prepared: Prepared): Promise<Victim> {
  const { dir, place } = await copyFor(prepared, 'eraseVersion');
  const { dir: trial } = await copyFor(prepared, 'eraseVersion');
  const ended = await performDisturbed({ act: 'promote', dir: trial, ...place }, undefined);
  if (ended.kind === 'killed') throw new Error('An act was killed that nobody disturbed.');
  const nth = ended.points.indexOf('log: outcome of model.promote') + 1;
  await performDisturbed({ act: 'promote', dir, ...place }, { kind: 'point', nth });
  return victimOf(dir, 'left by a kill');
}

async function victimOf(dir: string, state: Victim['state']): Promise<Victim> {
  const copy = mkdtempSync(`${dir}-`);
  cpSync(join(dir, 'vault'), join(copy, 'vault'), { recursive: true });
  const { app, client } = openBareApp(copy);
  await client.vault.signIn(ada);
  const { entries } = await client.audit.list({ limit: 1, action: 'vault.sign-in' });
  // Everything up to the sign-in that looks, and to what that one has settled.
  const logSize = (entries[0]?.entry.index ?? 0) - (state === 'sealed' ? 1 : 0);
  await app.close();
  rmSync(copy, { recursive: true });
  const looked = mkdtempSync(`${dir}-`);
  cpSync(join(dir, 'vault'), join(looked, 'vault'), { recursive: true });
  const seen = await lookAt(looked, logSize);
  rmSync(looked, { recursive: true });
  return { state, dir: join(dir, 'vault'), seen, logSize };
}
