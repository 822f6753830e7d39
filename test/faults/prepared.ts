/** What the acts start from: a folder of material, and vaults that are copied for each fault. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { openVault, type StagedObject } from '#domain/vault/index.ts';
import { vaultSchema } from '#app/open-state.ts';
import { appPasswords, openBareApp } from '../support/bare-app.ts';
import { chunksOf } from '../support/bare-vault.ts';
import { plainFiles, signedFolder, signingKey } from '../support/bundles.ts';
import { canaries, tableRows, type ActName, type Place } from './acts.ts';
import { performDisturbed } from './disturbed.ts';

/** Two bundles, the key of their maker and a table, in a new folder. */
async function makeMaterial(material: string): Promise<void> {
  mkdirSync(material, { recursive: true });
  const table = `a,b,note\n${`1,2,${canaries.table}\n`.repeat(tableRows)}`;
  writeFileSync(join(material, 'in.csv'), table);
  writeFileSync(join(material, 'maker.pem'), signingKey.publicPem);
  const notes = { 'docs/notes.txt': canaries.bundle.repeat(50) };
  // More than one segment of an object.
  const long = { 'docs/table.txt': canaries.table.repeat(60_000) };
  await signedFolder(join(material, 'first'), { ...plainFiles, ...notes, ...long });
  const reference = { 'reference.csv': table };
  await signedFolder(join(material, 'second'), { ...plainFiles, ...notes, ...reference });
}

export interface Prepared {
  readonly dir: string;
  readonly material: string;
  /** Of the vault in `start`. */
  readonly logSize: number;
  /** Which of the named points of a run that is. */
  readonly partFilesMade: number;
}

/** Material and two vaults, in memory where there is room: a killed process loses nothing that it has written to either. */
export async function prepare(): Promise<Prepared> {
  const roomy = await statfs('/dev/shm').then(
    ({ bavail, bsize }) => bavail * bsize > 300e6,
    () => false,
  );
  const dir = mkdtempSync(join(roomy ? '/dev/shm' : tmpdir(), 'strongroom-faults-'));
  const material = join(dir, 'material');
  await makeMaterial(material);
  const logSize = await makeVault(join(dir, 'start'), material);
  const prepared = { dir, material, logSize, partFilesMade: 0 };
  const { dir: trial, place } = await copyFor(prepared, 'run');
  const ended = await performDisturbed({ act: 'run', dir: trial, ...place }, undefined);
  if (ended.kind === 'killed') throw new Error('A run was killed that nobody disturbed.');
  await performDisturbed({ act: 'backup', dir: trial, ...place }, undefined);
  mkdirSync(join(dir, 'saved'));
  renameSync(join(trial, 'medium'), join(dir, 'saved/medium'));
  rmSync(trial, { recursive: true });
  return { ...prepared, partFilesMade: ended.points.indexOf('run: part files made') + 1 };
}

/** A copy of what the act starts from. */
export async function copyFor(
  prepared: Prepared,
  act: ActName,
): Promise<{ readonly dir: string; readonly place: Place }> {
  const dir = mkdtempSync(join(prepared.dir, `${act}-`));
  const { material } = prepared;
  if (act === 'init') return { dir, place: { material, round: 1, logSize: 0 } };
  const start = act === 'restore' ? 'saved' : 'start';
  cpSync(join(prepared.dir, start), dir, { recursive: true });
  const place = { material, round: 1, logSize: prepared.logSize };
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
    user: 'ada',
    password: appPasswords.ada,
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

/** A sealed vault with one administrator, one trusted maker and one model that may run, in `dir`. Returns the length of its log. */
async function makeVault(dir: string, material: string): Promise<number> {
  mkdirSync(dir, { recursive: true });
  const { app, client, wait } = openBareApp(dir);
  try {
    await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
    await client.trust.add({
      name: 'Model maker',
      file: app.admitFile(join(material, 'maker.pem')),
    });
    const source = app.admitFile(join(material, 'first'));
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
    await client.vault.seal(null);
    await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
    // The entry of the seal to come counts.
    return (await client.audit.checkpoint(null)).size + 1;
  } finally {
    await app.close();
  }
}
