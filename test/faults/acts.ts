/** The acts that are disturbed: how each is done, in a child that may be killed, and how one sees afterwards what became of it. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import type { AuditAction } from '#shared/actions.ts';
import { appPasswords, type BareApp } from '../support/bare-app.ts';

/** Where an act finds what it needs. */
export interface Place {
  /** The folder with bundles, keys and tables; nothing is written there. */
  readonly material: string;
  /** Tells the outputs of a repetition from those of the first time. */
  readonly round: number;
  /** Length of the log before the act. */
  readonly logSize: number;
}

export interface Act {
  /** For the table. */
  readonly name: string;
  /** What the log calls it; undefined where the log has an event and no beginning. */
  readonly action: AuditAction | undefined;
  perform(on: BareApp, place: Place): Promise<void>;
  /** Whether the catalog has all of it or nothing. Throws for anything between. Somebody is signed in. */
  found(on: BareApp, place: Place): Promise<'all' | 'nothing'>;
  /** What comes of doing it again when it was done already. */
  readonly again: readonly ('ok' | 'conflict')[];
}

const ada = { user: 'ada', password: appPasswords.ada };

/** Rows of the table and of the reference. */
export const tableRows = 40;
/** In the files that go into the vault; must never be read on the medium. */
export const canaries = {
  bundle: 'CANARY-OF-THE-BUNDLE',
  table: 'CANARY-OF-THE-TABLE',
  password: appPasswords.ada,
} as const;

const init: Act = {
  name: 'init',
  action: undefined,
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
  again: ['conflict'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.models.promote({ version: 'tested@1', to: 'production', reason: 'as tested' });
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
  again: ['ok'],
  async perform({ app, client, dir, wait }, { material, round }) {
    await client.vault.signIn(ada);
    mkdirSync(resultsOf(dir), { recursive: true });
    await wait(
      contract.runs.start,
      client.runs.start({
        version: 'tested@1',
        input: app.admitFile(join(material, 'in.csv')),
        folder: app.admitFile(resultsOf(dir)),
        name: outputName(round),
      }),
    );
  },
  async found({ client, dir }, { round }) {
    const [newest] = await client.runs.list({});
    if (newest === undefined) return 'nothing';
    if (newest.state === 'interrupted' || newest.state === 'failed') return 'nothing';
    if (newest.state !== 'done' || !existsSync(join(resultsOf(dir), outputName(round))))
      throw new Error(`The run is ${newest.state}, and its output does not fit that.`);
    return 'all';
  },
};

export function resultsOf(dir: string): string {
  return join(dir, 'results');
}

function outputName(round: number): string {
  return `out-${round}.csv`;
}

const rotateKeys: Act = {
  name: 'rotate keys',
  action: 'keys.rotate',
  again: ['ok'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.keys.rotate({ reason: 'as tested' });
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
} as const satisfies Readonly<Record<string, Act>>;
export type ActName = keyof typeof acts;
