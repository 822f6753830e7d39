/** The acts that are disturbed. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { ada, reason, tableRows, type Act } from './act.ts';
import { erasures } from './erasures.ts';
import { peopleActs } from './people.ts';
import { newestRun, score, scored } from './runs.ts';

const init: Act = {
  name: 'init',
  action: undefined,
  start: 'nothing',
  again: ['conflict'],
  perform: async ({ client }) => void (await client.vault.create({ ...ada, policy: 'solo' })),
  async found({ client }) {
    const { secondPerson } = await client.policy.show(null);
    const { entries } = await client.audit.list({ action: 'vault.create', limit: 2 });
    const users = await client.users.list(null);
    if (secondPerson || entries.length !== 1 || users.length !== 1)
      throw new Error('The vault does not begin as it was asked to.');
    return 'all';
  },
};

const signIn: Act = {
  name: 'sign-in after a kill',
  action: undefined,
  start: 'plain',
  again: ['ok'],
  perform: async ({ client }) => void (await client.vault.signIn(ada)),
  async found({ client }) {
    const { entries } = await client.audit.list({ action: 'vault.sign-in-failed', limit: 9 });
    if (entries.length === 0) throw new Error('The wrong password went unreported.');
    const [left] = await client.runs.list({});
    if (left?.state !== 'interrupted') throw new Error('The run that was killed still stands.');
    return 'all';
  },
};

const importBundle: Act = {
  name: 'import',
  action: 'bundle.import',
  start: 'plain',
  again: ['conflict'],
  async perform({ app, client, wait }, { material }) {
    await client.vault.signIn(ada);
    const source = app.admitFile(join(material, 'second'));
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'other' }));
  },
  async found({ client }) {
    const models = (await client.models.list(null)).map(({ name }) => name);
    if (!models.includes('other')) return 'nothing';
    const { reference } = await client.monitor.show({ version: 'other@1' });
    if (reference?.source !== 'bundle' || reference.rows !== tableRows)
      throw new Error('The version came without its reference.');
    return 'all';
  },
};

const promote: Act = {
  name: 'promote',
  action: 'model.promote',
  start: 'plain',
  again: ['conflict'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.models.promote({ version: 'tested@1', to: 'production', reason });
  },
  async found({ client }) {
    const { stage, aliases } = await client.models.version({ version: 'tested@1' });
    const named = aliases.includes('production');
    if (named !== (stage === 'production')) throw new Error('Stage and alias do not agree.');
    return named ? 'all' : 'nothing';
  },
};

const run: Act = {
  name: 'run',
  action: 'run.score',
  start: 'plain',
  again: ['ok'],
  perform: (on, place) => score(on, place, 'in.csv', { outputFormat: 'jsonl' }),
  async found(on, { round }) {
    const run = await newestRun(on.client, 'in.csv');
    return run === undefined ? 'nothing' : scored(on, run, round);
  },
};

const rotateKeys: Act = {
  name: 'rotate keys',
  action: 'keys.rotate',
  start: 'kept',
  again: ['ok'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.keys.rotate({ reason });
  },
  async found({ client, dir }) {
    const { epochs } = JSON.parse(readFileSync(join(dir, 'vault/vault.json'), 'utf8')) as {
      readonly epochs: Readonly<Record<string, number>>;
    };
    const [first, ...others] = Object.values(epochs);
    if (others.some((epoch) => epoch !== first)) throw new Error('Only some keys were replaced.');
    const { earlierKeys } = await client.audit.checkpoint(null);
    if (earlierKeys.length + 1 !== first) throw new Error('The log has another key than its time.');
    return first === 1 ? 'nothing' : 'all';
  },
};

const backup: Act = {
  name: 'backup',
  action: 'vault.backup',
  start: 'kept',
  again: ['ok'],
  async perform({ app, client, dir, wait }) {
    await client.vault.signIn(ada);
    mkdirSync(join(dir, 'medium'), { recursive: true });
    const folder = app.admitFile(join(dir, 'medium'));
    await wait(contract.backups.make, client.backups.make({ folder }));
  },
  async found({ app, client, dir, wait }) {
    const [newest] = await client.backups.list(null);
    if (newest?.state !== 'complete') return 'nothing';
    const folders = [app.admitFile(join(dir, 'medium'))];
    const checked = await wait(contract.backups.check, client.backups.check({ folders }));
    if (checked.status !== 'whole') throw new Error(JSON.stringify(checked.problems));
    return 'all';
  },
};

const restore: Act = {
  name: 'restore',
  action: undefined,
  start: 'backup',
  // Killed when only its mark was left, a restore takes that away the next time and changes nothing.
  again: ['ok', 'conflict'],
  async perform({ app, client, dir, wait }) {
    const folders = [app.admitFile(join(dir, 'medium'))];
    await wait(contract.backups.restore, client.backups.restore({ folders }));
  },
  async found({ client }) {
    // What makes a vault has no session of its own; the first sign-in writes it down.
    if ((await client.vault.status(null)).state !== 'open') await client.vault.signIn(ada);
    const { entries } = await client.audit.list({ action: 'vault.restore', limit: 2 });
    if (entries.length !== 1) throw new Error('The restore does not stand in the log once.');
    return 'all';
  },
};

export const acts = {
  init,
  signIn,
  importBundle,
  promote,
  run,
  rotateKeys,
  backup,
  restore,
  ...erasures,
  ...peopleActs,
} as const satisfies Readonly<Record<string, Act>>;
export type ActName = keyof typeof acts;
