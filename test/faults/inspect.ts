/** What must hold of a vault after any fault. What does not hold is thrown, in words. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { openVault } from '#domain/vault/index.ts';
import { vaultSchema } from '#app/open-state.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { openBareApp, type BareApp } from '../support/bare-app.ts';
import { allPages, holds, keysOf } from '../support/pages.ts';
import { ada, canaries, type Act, type Place } from './act.ts';
import { acts, type ActName } from './acts.ts';
import { temporaryOf } from './disturbed.ts';

export type Found = 'all' | 'nothing';

/** Acts that make a vault where there was none. */
const makers: readonly ActName[] = ['init', 'restore'];

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
    await requireGone(join(dir, 'vault'), place.doomed, found);
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
    const { again }: Act = acts[act];
    const expected: readonly string[] = found === 'all' ? again : ['ok'];
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

/** What is erased stands on no page any more, free ones and those of the write-ahead log included; what is not, does. */
async function requireGone(dir: string, doomed: Place['doomed'], found: Found): Promise<void> {
  if (doomed.length === 0) return;
  const pages = allPages(dir, await keysOf(dir));
  const left = doomed.filter((key) => holds(pages, Buffer.from(key, 'hex')));
  assert.equal(left.length, found === 'all' ? 0 : doomed.length, 'keys on pages of the databases');
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
    const texts = (sql: string): string[] =>
      vault.catalog.prepare<[], string>(sql).pluck().all().toSorted();
    const referred = texts(
      `SELECT object_id FROM version_files JOIN versions USING (model_id, version) WHERE stage <> 'erased'
       UNION ALL SELECT object_id FROM kept_files JOIN kept_data USING (run_id) WHERE state = 'kept'`,
    );
    const live = rows.filter(({ state }) => state === 'live').map(({ id }) => id);
    assert.deepEqual(live.toSorted(), rows.map(({ id }) => id).toSorted(), 'states of the objects');
    assert.deepEqual(referred, live.toSorted(), 'objects of versions and runs');
    assert.deepEqual(
      texts('SELECT key_id FROM subjects UNION ALL SELECT key_id FROM subject_index'),
      texts('SELECT id FROM data_keys'),
      'keys of people',
    );
    assert.deepEqual(
      texts('SELECT key_id FROM kept_subjects GROUP BY key_id'),
      texts('SELECT key_id FROM subjects'),
      'people of whom rows are kept',
    );
    for (const id of texts('SELECT id FROM data_keys')) vault.dataKeys.open(id)?.fill(0);
    const unfinished = texts(
      "SELECT run_id FROM kept_data WHERE state = 'writing' UNION ALL SELECT id FROM unfinished_erasures",
    );
    assert.deepEqual(unfinished, [], 'left to do');
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
