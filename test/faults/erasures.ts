/** A run that keeps its rows, and what is erased: a person, what a run has kept, a version, and all that is due. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { codeOf, type BareApp } from '../support/bare-app.ts';
import { ada, canaries, reason, type Act } from './act.ts';
import { newestRun, score, scored } from './runs.ts';

/** What the vault `kept` has more: a run of this input with its rows, and a retired version. */
export const keptInput = 'kept.csv';
export const retiredVersion = 'retired@1';
/** One row of the person, two of somebody else. */
export const keptRows = [canaries.person, 'somebody else', 'somebody else'];

const keepRun: Act = {
  name: 'run that keeps its rows',
  action: 'run.score',
  start: 'kept',
  again: ['ok'],
  perform: (on, place) => score(on, place, 'people.csv', { keep: true, subject: 'who' }),
  async found(on, { round }) {
    const { client } = on;
    const run = await newestRun(client, 'people.csv');
    const found = run === undefined ? 'nothing' : await scored(on, run, round);
    if (run !== undefined) {
      const { kept } = await client.runs.show({ runId: run.runId });
      assert.equal(kept?.state, found === 'all' ? 'kept' : undefined, 'what the run has kept');
    }
    const done = (await client.runs.list({})).filter(({ state }) => state === 'done');
    const { rows } = await client.erasure.showSubject({ subject: canaries.person });
    assert.equal(rows, done.length, 'rows of the person, one in each run');
    return found;
  },
};

const eraseSubject: Act = {
  name: 'erase a person',
  action: 'subject.erase',
  start: 'kept',
  again: ['not-found'],
  doomed: (select) =>
    select(
      'SELECT wrapped_key FROM data_keys JOIN kept_subjects ON key_id = data_keys.id WHERE rows = 1',
    ),
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.erasure.subject({ subject: canaries.person, reason });
  },
  async found(on) {
    const erasedRows = await rowsGone(on);
    const shown = await codeOf(on.client.erasure.showSubject({ subject: canaries.person }));
    assert.equal(shown, erasedRows === 0 ? undefined : 'not-found', 'what is shown of the person');
    return erasedRows === 0 ? 'nothing' : 'all';
  },
};

/** Exports the kept rows; those of the other person must be among them. Returns how many were erased. */
async function rowsGone({ app, client, dir, wait }: BareApp): Promise<number> {
  const runId = await keptRun(client);
  const folder = app.admitFile(dir);
  const name = 'export';
  const { rows, erasedRows } = await wait(
    contract.runs.export,
    client.runs.export({ runId, folder, name }),
  );
  rmSync(join(dir, name), { recursive: true });
  assert.equal(rows + erasedRows, keptRows.length, 'rows that were kept');
  assert.ok(erasedRows <= 1, 'rows of somebody else were erased');
  return erasedRows;
}

async function keptRun(client: BareApp['client']): Promise<string> {
  const run = await newestRun(client, keptInput);
  return run?.runId ?? assert.fail('There is no run with kept rows.');
}

const eraseData: Act = {
  name: 'erase what a run has kept',
  action: 'data.erase',
  start: 'kept',
  again: ['conflict'],
  doomed: (select) => [
    ...select('SELECT wrapped_key FROM objects JOIN kept_files ON object_id = id'),
    ...select('SELECT wrapped_key FROM data_keys JOIN kept_subjects ON key_id = data_keys.id'),
  ],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.erasure.data({ runId: await keptRun(client), reason });
  },
  async found(on) {
    const { kept } = await on.client.runs.show({ runId: await keptRun(on.client) });
    if (kept?.state === 'erased') return 'all';
    assert.equal(await rowsGone(on), 0);
    return 'nothing';
  },
};

const versionKeys =
  "SELECT wrapped_key FROM objects JOIN version_files ON object_id = id JOIN versions USING (model_id, version) WHERE stage = 'retired'";

const eraseVersion: Act = {
  name: 'erase a version',
  action: 'model.erase',
  start: 'kept',
  again: ['conflict'],
  doomed: (select) => select(versionKeys),
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.erasure.version({ version: retiredVersion, reason });
  },
  async found({ client }) {
    const { stage } = await client.models.version({ version: retiredVersion });
    return stage === 'erased' ? 'all' : 'nothing';
  },
};

const eraseDue: Act = {
  name: 'erase what is due',
  action: 'retention.erase',
  start: 'kept',
  again: ['ok'],
  doomed: (select) => [...(eraseData.doomed?.(select) ?? []), ...select(versionKeys)],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.erasure.due({ reason });
  },
  async found({ client }) {
    const { stage } = await client.models.version({ version: retiredVersion });
    const { due } = await client.erasure.overview(null);
    const run = await newestRun(client, keptInput);
    const all = stage === 'erased';
    assert.deepEqual([due.length, run === undefined], all ? [0, true] : [2, false], 'what is due');
    return all ? 'all' : 'nothing';
  },
};

export const erasures = { keepRun, eraseSubject, eraseData, eraseVersion, eraseDue } as const;
