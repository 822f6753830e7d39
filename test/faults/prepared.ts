/** What the acts start from: a folder of material, and vaults that are copied for each fault. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { openVault, type StagedObject } from '#domain/vault/index.ts';
import { keptForEver } from '#shared/contract/policy.ts';
import { vaultSchema } from '#app/open-state.ts';
import { openBareApp, type BareApp } from '../support/bare-app.ts';
import { chunksOf } from '../support/bare-vault.ts';
import { plainFiles, signedFolder, signingKey } from '../support/bundles.ts';
import { ada, canaries, reason, tableRows, type Act, type Place, type Start } from './act.ts';
import { acts, type ActName } from './acts.ts';
import { performDisturbed } from './disturbed.ts';
import { keptInput, keptRows, retiredVersion } from './erasures.ts';
import { grace } from './people.ts';
import { makeActor } from './program.ts';
import { resultsOf } from './runs.ts';

/** Bundles, the key of their maker and tables, in a new folder. */
async function makeMaterial(material: string): Promise<void> {
  mkdirSync(material, { recursive: true });
  const table = `a,b,note\n${`1,2,${canaries.table}\n`.repeat(tableRows)}`;
  writeFileSync(join(material, 'in.csv'), table);
  const people = `who,a,b\n${keptRows.map((who) => `${who},1,2\n`).join('')}`;
  for (const name of ['people.csv', keptInput]) writeFileSync(join(material, name), people);
  writeFileSync(join(material, 'maker.pem'), signingKey.publicPem);
  const notes = { 'docs/notes.txt': canaries.bundle.repeat(50) };
  // More than one segment of an object.
  const long = { 'docs/table.txt': canaries.table.repeat(60_000) };
  await signedFolder(join(material, 'first'), { ...plainFiles, ...notes, ...long });
  const reference = { 'reference.csv': table };
  await signedFolder(join(material, 'second'), { ...plainFiles, ...notes, ...reference });
  await signedFolder(join(material, 'third'), { ...plainFiles, ...notes, 'docs/third.txt': '3' });
}

export interface Prepared {
  readonly dir: string;
  readonly material: string;
  /** By what an act starts from. */
  readonly logSizes: Readonly<Record<Start, number>>;
  readonly doomed: Readonly<Partial<Record<ActName, readonly string[]>>>;
  /** Which of the named points of a run that is. */
  readonly partFilesMade: number;
}

/** Material and vaults, in memory where there is room: a killed process loses nothing that it has written to either. */
export async function prepare(): Promise<Prepared> {
  const roomy = await statfs('/dev/shm').then(
    ({ bavail, bsize }) => bavail * bsize > 300e6,
    () => false,
  );
  const dir = mkdtempSync(join(roomy ? '/dev/shm' : tmpdir(), 'strongroom-faults-'));
  const material = join(dir, 'material');
  await makeMaterial(material);
  await makeActor(material);
  const plain = await makeVault(join(dir, 'plain'), material);
  cpSync(join(dir, 'plain'), join(dir, 'kept'), { recursive: true });
  const kept = await keepInVault(join(dir, 'kept'), material);
  const doomed = await doomedIn(join(dir, 'kept'));
  const logSizes = { nothing: 0, plain, kept, backup: kept };
  const prepared = { dir, material, logSizes, doomed, partFilesMade: 0 };
  const trial = await copyFor(prepared, 'backup');
  await performDisturbed({ act: 'backup', dir: trial.dir, ...trial.place }, undefined);
  mkdirSync(join(dir, 'backup'));
  renameSync(join(trial.dir, 'medium'), join(dir, 'backup/medium'));
  rmSync(trial.dir, { recursive: true });
  const run = await copyFor(prepared, 'run');
  const ended = await performDisturbed({ act: 'run', dir: run.dir, ...run.place }, undefined);
  rmSync(run.dir, { recursive: true });
  if (ended.kind === 'killed') throw new Error('A run was killed that nobody disturbed.');
  return { ...prepared, partFilesMade: ended.points.indexOf('run: part files made') + 1 };
}

/** A copy of what the act starts from. */
export async function copyFor(
  prepared: Prepared,
  act: ActName,
): Promise<{ readonly dir: string; readonly place: Place }> {
  const dir = mkdtempSync(join(prepared.dir, `${act}-`));
  const { material, logSizes, doomed } = prepared;
  const { start } = acts[act];
  if (start !== 'nothing') cpSync(join(prepared.dir, start), dir, { recursive: true });
  const place = { material, round: 1, logSize: logSizes[start], doomed: doomed[act] ?? [] };
  if (act === 'signIn') await leave(dir, place, prepared.partFilesMade);
  return { dir, place };
}

/**
 * What a kill leaves at its worst: a run under way with its half output, an import with rows and files that are not live yet and
 * a file being written; and somebody has tried a wrong password since.
 */
async function leave(dir: string, place: Place, nth: number): Promise<void> {
  await performDisturbed({ act: 'run', dir, ...place }, { kind: 'point', nth });
  const vaultDir = join(dir, 'vault');
  const vault = await openVault({
    dir: vaultDir,
    ...ada,
    clock: () => new Date(),
    schema: vaultSchema,
  });
  const stage = (): Promise<StagedObject> =>
    vault.objects.stage({ source: chunksOf(Buffer.from(canaries.bundle)) });
  await stage();
  const { objectId, sizeBytes, sha256, wrappedKey } = await stage();
  vault.catalog
    .prepare("INSERT INTO objects VALUES (?, ?, ?, ?, 1, 'staging', ?)")
    .run(objectId, sizeBytes, sha256, wrappedKey, new Date().toISOString());
  const folder = join(vaultDir, 'objects', objectId.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  renameSync(join(vaultDir, 'staging', `${objectId}.part`), join(folder, objectId));
  vault.close();
  const { client } = openBareApp(dir);
  await client.vault.signIn({ user: 'ada', password: 'a guess' }).catch(() => undefined);
}

/** So that something is due by now. */
const weeksAgo = (): Date => new Date(Date.now() - 60 * 24 * 60 * 60_000);

/** A sealed vault with one administrator, one trusted maker and one model that may run, in `dir`. Returns the length of its log. */
async function makeVault(dir: string, material: string): Promise<number> {
  mkdirSync(dir, { recursive: true });
  const opened = openBareApp(dir, { clock: weeksAgo });
  const { app, client, wait } = opened;
  try {
    const { recoveryKey } = await client.vault.create({ ...ada, policy: 'solo' });
    writeFileSync(join(material, 'recovery.txt'), recoveryKey);
    await client.users.add(grace);
    await client.trust.add({
      name: 'Model maker',
      file: app.admitFile(join(material, 'maker.pem')),
    });
    const source = app.admitFile(join(material, 'first'));
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
    await client.vault.seal(null);
    await client.vault.signIn(ada);
    return await sizeOfLog(opened);
  } finally {
    await app.close();
  }
}

/** Kept rows of two people and a retired version, all of it due. Returns the length of the log. */
async function keepInVault(dir: string, material: string): Promise<number> {
  const opened = openBareApp(dir, { clock: weeksAgo });
  const { app, client, wait } = opened;
  try {
    await client.vault.signIn(ada);
    const retention = { ...keptForEver, runRecords: 30, retiredVersions: 30 };
    await client.policy.set({ retention, reason });
    const source = app.admitFile(join(material, 'third'));
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'retired' }));
    await client.models.retire({ version: retiredVersion, reason });
    mkdirSync(resultsOf(dir));
    await wait(
      contract.runs.start,
      client.runs.start({
        version: 'tested@1',
        input: app.admitFile(join(material, keptInput)),
        folder: app.admitFile(resultsOf(dir)),
        name: 'before.csv',
        keep: true,
        subject: 'who',
      }),
    );
    return await sizeOfLog(opened);
  } finally {
    await app.close();
  }
}

/** The entry of the seal to come counts. */
async function sizeOfLog({ client }: BareApp): Promise<number> {
  return (await client.audit.checkpoint(null)).size + 1;
}

async function doomedIn(dir: string): Promise<Prepared['doomed']> {
  const vault = await openVault({
    dir: join(dir, 'vault'),
    ...ada,
    clock: () => new Date(),
    schema: vaultSchema,
  });
  const select = (sql: string): Uint8Array[] =>
    vault.catalog.prepare<[], Uint8Array>(sql).pluck().all();
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  try {
    return Object.fromEntries(
      Object.entries<Act>(acts).map(([name, { doomed }]) => [
        name,
        doomed?.(select).map(hex) ?? [],
      ]),
    );
  } finally {
    vault.close();
  }
}
