/** What must hold of a vault after any fault. What does not hold is thrown, in words. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { openVault } from '#domain/vault/index.ts';
import { vaultSchema } from '#app/open-state.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { appPasswords, openBareApp, type BareApp } from '../support/bare-app.ts';
import { acts, canaries, type ActName, type Place } from './acts.ts';
import { temporaryOf } from './disturbed.ts';

export type Found = 'all' | 'nothing';

/** Acts that make a vault where there was none. */
const makers: readonly ActName[] = ['init', 'restore'];

const ada = { user: 'ada', password: appPasswords.ada };

/**
 * After the child is gone: all or nothing of its act, log and catalog of one story, no orphan, no plaintext; and the act can
 * be done (again).
 */
export async function inspectAfter(
  act: ActName,
  dir: string,
  place: Place,
  again: boolean,
): Promise<Found> {
  requireNoPlaintext(dir);
  const found = await openAndLook(act, dir, place);
  if (existsSync(join(dir, 'vault/vault.json'))) await requireAgreement(dir);
  if (!again) return found;
  await repeat(act, dir, { ...place, round: place.round + 1 }, found);
  await requireAgreement(dir);
  requireNoPlaintext(dir);
  return found;
}

/** Opens, as the next person at the desk would, and asks what became of the act. */
async function openAndLook(act: ActName, dir: string, place: Place): Promise<Found> {
  const opened = openBareApp(dir);
  const { app, client } = opened;
  try {
    const { state } = await client.vault.status(null);
    if (state === 'absent' && makers.includes(act)) return 'nothing';
    await client.vault.signIn(ada);
    const found = await acts[act].found(opened, place);
    await requireOneStory(opened, act, { ...place, found });
    return found;
  } finally {
    await app.close();
  }
}

async function repeat(act: ActName, dir: string, place: Place, found: Found): Promise<void> {
  const opened = openBareApp(dir);
  try {
    const ended = await acts[act].perform(opened, place).then(
      () => 'ok',
      (error: unknown) => errorToBody(error).code,
    );
    const expected: readonly string[] = found === 'all' ? acts[act].again : ['ok'];
    assert.ok(expected.includes(ended), `done again: ${ended}`);
    if (ended === 'ok') assert.equal(await acts[act].found(opened, place), 'all', 'done again');
  } finally {
    await opened.app.close();
  }
}

/** The log is whole, every beginning has one outcome, and the outcome of the act is what the catalog shows. */
async function requireOneStory(
  { client, wait }: BareApp,
  act: ActName,
  { logSize, found }: Place & { readonly found: Found },
): Promise<void> {
  const verdict = await wait(contract.audit.verify, client.audit.verify({}));
  assert.equal(verdict.status, 'intact', JSON.stringify(verdict));
  const entries = (await client.audit.list({ limit: 500 })).entries.map(({ entry }) => entry);
  const outcomes = entries.filter(({ phase }) => phase === 'outcome');
  const begun = entries.filter(({ phase }) => phase === 'begin').map(({ index }) => index);
  assert.deepEqual(
    new Set(outcomes.map(({ of }) => of)),
    new Set(begun),
    'beginnings and outcomes in the log',
  );
  assert.equal(outcomes.length, begun.length);
  const { action } = acts[act];
  if (action === undefined) return;
  const isDone = outcomes.some(
    (entry) => entry.action === action && entry.index >= logSize && entry.outcome === 'ok',
  );
  assert.equal(isDone ? 'all' : 'nothing', found, 'log and catalog');
}

/** Rows and files of the vault agree, every object opens to what its row says, and nothing half-done lies around. */
async function requireAgreement(dir: string): Promise<void> {
  const place = join(dir, 'vault');
  const vault = await openVault({
    dir: place,
    ...ada,
    clock: () => new Date(),
    schema: vaultSchema,
  });
  try {
    const rows = vault.catalog
      .prepare<[], { id: string; sha256: string; state: string }>(
        'SELECT id, sha256, state FROM objects',
      )
      .all();
    const referred = vault.catalog
      .prepare<[], string>('SELECT object_id FROM version_files')
      .pluck()
      .all();
    const live = rows.filter(({ state }) => state === 'live').map(({ id }) => id);
    assert.deepEqual(live.toSorted(), rows.map(({ id }) => id).toSorted(), 'states of the objects');
    assert.deepEqual(referred.toSorted(), live.toSorted(), 'files of versions and objects');
    assert.deepEqual(
      filesBelow(join(place, 'objects'))
        .map((path) => basename(path))
        .toSorted(),
      live.toSorted(),
      'objects on the medium',
    );
    for (const { id, sha256 } of rows) {
      const object = await vault.objects.open(id);
      const bytes = await object.readAll();
      await object.close();
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256, 'digest of an object');
    }
    assert.equal(
      vault.records.prepare("SELECT count(*) FROM runs WHERE state = 'running'").pluck().get(),
      0,
    );
    const { rolledBack, swept, quarantined } = vault.recovery;
    assert.deepEqual(
      { rolledBack, swept, quarantined },
      { rolledBack: 0, swept: 0, quarantined: 0 },
    );
  } finally {
    vault.close();
  }
  // Empty folders of processes that are gone may stay among the temporary ones; the next run sweeps them.
  for (const folder of [join(place, 'staging'), join(place, 'quarantine'), temporaryOf(dir)])
    assert.deepEqual(filesBelow(folder), [], `left in ${basename(folder)}`);
  const known =
    /^(\.strongroom-restoring|vault\.json|attempts\.json|lock|(catalog|audit|records)\.db|objects|staging|quarantine)$/;
  assert.deepEqual(
    readdirSync(place).filter((name) => !known.test(name)),
    [],
    'left in the vault',
  );
  assert.deepEqual(
    filesBelow(dir).filter((name) => name.endsWith('.part')),
    [],
    'half outputs',
  );
}

/** Only the output of a run may be in the clear, and it holds no canary. */
function requireNoPlaintext(dir: string): void {
  for (const path of filesBelow(dir)) {
    const bytes = readFileSync(path);
    for (const [of, canary] of Object.entries(canaries))
      assert.equal(bytes.includes(canary), false, `plaintext of the ${of} in ${basename(path)}`);
  }
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
