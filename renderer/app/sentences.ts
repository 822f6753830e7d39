/** What the log says, as a person would say it to another. The log itself keeps the typed names. */
import type { LogEntry } from '#shared/contract/audit.ts';
import { count, localTime, plural } from '../lib/format.ts';

/** Announcements say what was meant to happen; what did happen stands in the entry that answers them. */
export function tellsWhatHappened(entry: LogEntry): boolean {
  return entry.phase !== 'begin';
}

/** Coming and going, as it is every day, and single calls of a served model. */
export function isRoutine({ action, outcome, details }: LogEntry): boolean {
  return (
    outcome === 'ok' &&
    (action === 'vault.sign-in' ||
      action === 'serve.infer' ||
      (action === 'vault.seal' && details?.['because'] !== 'log-failure'))
  );
}

/** The rest of a sentence that starts with the person, such as `scored 2,000 rows with credit-risk@1`. */
export function sentenceOf(entry: LogEntry): string {
  const { action, outcome } = entry;
  // The failure is what that one tells of.
  if (outcome === undefined || outcome === 'ok' || action === 'vault.sign-in-failed')
    return did(entry);
  const tried = attempts[action];
  const end = { error: 'it failed', refused: 'it was refused', cancelled: 'it was cancelled' };
  return `tried to ${tried}: ${end[outcome]}`;
}

/** Types of things that are told apart by numbers and digests, or are written by Strongroom itself. */
const handles = [
  'run',
  'vault',
  'key',
  'input',
  'output',
  'receipt',
  'subject',
  'verdict',
  'findings',
  'binding',
  'record',
  'texts',
];

/** The things of an entry that mean something to a reader: names, not handles. */
export function aboutOf(entry: LogEntry): string {
  return entry.objects
    .filter(({ type }) => !handles.includes(type))
    .map(({ id }) => id)
    .join(', ');
}

const attempts: Readonly<Record<Exclude<LogEntry['action'], 'vault.sign-in-failed'>, string>> = {
  'bundle.import': 'import a bundle',
  'bundle.export': 'export a bundle',
  'model.promote': 'promote a version',
  'model.approve': 'approve a promotion',
  'model.reject': 'reject a version',
  'model.rollback': 'roll a model back',
  'model.retire': 'retire a version',
  'model.erase': 'erase a version',
  'binding.save': 'save which columns feed a model',
  'run.score': 'score a file',
  'run.give-up': 'give up an interrupted run',
  'record.predict': 'predict a record',
  'record.explain': 'explain a prediction',
  'reasons.propose': 'propose texts of reasons',
  'reasons.approve': 'approve texts of reasons',
  'data.export': 'export kept data',
  'data.erase': 'erase kept data',
  'subject.show': 'see what is kept on a person',
  'subject.erase': 'erase a person',
  'retention.erase': 'erase what was due',
  'monitor.reference': 'set a reference',
  'audit.export': 'export the log',
  'audit.key-rotate': 'give the log a new key',
  'report.make': 'make a report',
  'serve.start': 'serve models',
  'serve.stop': 'stop serving models',
  'serve.infer': 'ask a served model',
  'user.add': 'add a user',
  'user.disable': 'disable a user',
  'user.enable': 'enable a user',
  'user.role': 'change a role',
  'user.password': 'set a password',
  'trust.add': 'trust a key',
  'trust.remove': 'stop trusting a key',
  'keys.rotate': 'rotate keys',
  'keys.recovery': 'make a new recovery key',
  'keys.keychain': 'change unlocking with the keychain',
  'policy.set': 'change the policy',
  'audit.pin-accept': 'accept a vault that was put back',
  'vault.create': 'create the vault',
  'vault.sign-in': 'sign in',
  'vault.seal': 'seal the vault',
  'vault.recover': 'open the vault with the recovery key',
  'vault.repair': 'repair the vault',
  'vault.backup': 'make a backup',
  'vault.restore': 'open a restored vault',
};

function did(entry: LogEntry): string {
  const details = entry.details ?? {};
  const text = (name: string): string => {
    const value = details[name];
    return typeof value === 'string' ? value : '';
  };
  const number = (name: string): number => Number(details[name] ?? 0);
  const idOf = (type: string): string => entry.objects.find((each) => each.type === type)?.id ?? '';
  const about = aboutOf(entry);
  switch (entry.action) {
    case 'vault.create':
      return 'created the vault';
    case 'vault.sign-in':
      return 'signed in';
    case 'vault.sign-in-failed':
      return 'could not sign in';
    case 'vault.seal':
      return text('because') === 'idle'
        ? 'left the vault open; it sealed itself'
        : 'sealed the vault';
    case 'vault.recover':
      return text('role') === text('before')
        ? 'opened the vault with the recovery key'
        : 'opened the vault with the recovery key and became an administrator';
    case 'vault.repair':
      return 'opened the vault, and it repaired itself';
    case 'vault.backup':
      return text('state') === 'complete'
        ? 'made a backup'
        : 'filled one medium of a backup; it goes on on the next';
    case 'vault.restore':
      return `opened the vault that was restored from the backup of ${localTime(text('madeAt'))}`;
    case 'user.add':
      return `added ${about} as ${text('role')}`;
    case 'user.disable':
      return `disabled ${about}`;
    case 'user.enable':
      return `enabled ${about}`;
    case 'user.role':
      return `changed the role of ${about}`;
    case 'user.password':
      return `set the password of ${about}`;
    case 'trust.add':
      return 'trusted a key';
    case 'trust.remove':
      return 'stopped trusting a key';
    case 'keys.keychain':
      return details['enabled'] === true
        ? 'lets the keychain of a computer unlock the vault'
        : 'no longer unlocks with the keychain of a computer';
    case 'keys.recovery':
      return 'made a new recovery key';
    case 'keys.rotate':
      return 'rotated keys of the vault';
    case 'policy.set':
      return 'changed the policy';
    case 'bundle.import':
      return `imported ${about}${text('stage') === 'quarantined' ? ' into quarantine' : ''}`;
    case 'bundle.export':
      return `exported ${about}`;
    case 'model.promote':
      return text('status') === 'pending'
        ? `asked for ${text('to')} of ${about}`
        : `moved ${about} to ${text('to')}`;
    case 'model.approve':
      return `approved ${about} for ${text('to') === '' ? 'production' : text('to')}`;
    case 'model.reject':
      return `rejected ${about}`;
    case 'model.rollback':
      return `rolled back to ${about}`;
    case 'model.retire':
      return `retired ${about}`;
    case 'model.erase':
      return `erased the files of ${about}`;
    case 'binding.save':
      return `saved which columns feed ${about}`;
    case 'data.export':
      return `exported kept data of ${about}`;
    case 'data.erase':
      return `erased what a run of ${about} had kept`;
    case 'subject.show':
      return 'looked up what is kept on a person';
    case 'subject.erase':
      return `erased ${plural(number('rows'), 'kept row')} of a person`;
    case 'retention.erase':
      return `erased what was due: ${plural(entry.objects.length, 'thing')}`;
    case 'run.score': {
      const rejected = number('rejected') > 0 ? `, ${count(number('rejected'))} rejected` : '';
      const moved = text('drift') === 'act' ? '; it drifted' : '';
      return `scored ${plural(number('rows'), 'row')} with ${idOf('version')}${rejected}${moved}`;
    }
    case 'run.give-up':
      return `gave up an interrupted run of ${idOf('version')}`;
    case 'record.predict':
      return `predicted one record with ${idOf('version')}`;
    case 'record.explain': {
      const what: Readonly<Record<string, string>> = {
        change: 'looked for what would change a decision of',
        reasons: 'asked for the reasons of a decision of',
      };
      return `${what[text('kind')] ?? 'explained a prediction of'} ${idOf('version')}`;
    }
    case 'reasons.propose':
      return text('status') === 'approved'
        ? `set the texts of reasons of ${idOf('version')}`
        : `proposed texts of reasons of ${idOf('version')}`;
    case 'reasons.approve':
      return `approved the texts of reasons of ${idOf('version')}`;
    case 'monitor.reference':
      return `made a run the reference of ${about}`;
    case 'audit.export':
      return 'exported the log';
    case 'audit.pin-accept':
      return 'accepted a vault that is older than the checkpoint this computer keeps';
    case 'audit.key-rotate':
      return 'gave the log a new signing key, which the old one vouches for';
    case 'report.make':
      return `made the report ${text('name')}`;
    case 'serve.start':
      return `started serving models on ${text('address')}`;
    case 'serve.stop':
      return `stopped serving models after ${plural(number('requests'), 'request')}`;
    case 'serve.infer':
      return `served ${plural(number('rows'), 'row')} with ${about}`;
  }
}
