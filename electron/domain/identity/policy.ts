/** The rules of this vault. Changes go through the log, which keeps the old and new values. */
import { keptForEver, policyState, type PolicyState } from '#shared/contract/policy.ts';
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import type { TrustList } from './trust.ts';

export interface Policy {
  read(): PolicyState;
  start(name: PolicyState['name']): void;
  /** What is left undefined stays as it is. Throws `invalid-input` when signers are added whom the trust list does not know. */
  change(changes: {
    readonly [K in keyof Omit<PolicyState, 'name'>]?: PolicyState[K] | undefined;
  }): PolicyState;
}

const common: Omit<PolicyState, 'name' | 'secondPerson'> = {
  unsigned: 'refuse',
  signers: { required: 1, from: [] },
  idleMinutes: 15,
  retention: keptForEver,
  serving: false,
};
const initial: Readonly<Record<PolicyState['name'], PolicyState>> = {
  standard: { name: 'standard', secondPerson: true, ...common },
  solo: { name: 'solo', secondPerson: false, ...common },
};

export function createPolicy(db: Database, trust: Pick<TrustList, 'list'>): Policy {
  const write = (state: PolicyState): void => {
    db.prepare('INSERT OR REPLACE INTO policy (only, body) VALUES (1, ?)').run(
      JSON.stringify(state),
    );
  };
  const select = db.prepare<[], { body: string }>('SELECT body FROM policy');
  const read = (): PolicyState => {
    const row = select.get();
    return row === undefined ? initial.standard : policyState.parse(JSON.parse(row.body));
  };
  return {
    read,
    start: (name) => write(initial[name]),
    change(changes) {
      const before = read();
      const added = (changes.signers?.from ?? []).filter(
        (name) => !before.signers.from.includes(name),
      );
      requireTrusted(added, trust);
      const given = Object.fromEntries(
        Object.entries(changes).filter(([, value]) => value !== undefined),
      );
      const next = policyState.parse({ ...before, ...given });
      write(next);
      return next;
    },
  };
}

/** A name that nobody has would refuse every bundle, and a typing error looks the same. */
function requireTrusted(names: readonly string[], trust: Pick<TrustList, 'list'>): void {
  const known = trust.list().flatMap(({ name, role }) => (role === null ? [name] : [name, role]));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new AppError(
    'invalid-input',
    `Nobody in the trust list has the name or the role "${unknown}", so no bundle could be imported. ${known.length === 0 ? 'Trust a key first.' : `There are: ${[...new Set(known)].join(', ')}.`}`,
  );
}
