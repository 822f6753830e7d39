/** The rules of this vault. Changes go through the log, which keeps the old and new values. */
import { keptForEver, policyState, type PolicyState } from '#shared/contract/policy.ts';
import type { Database } from '#platform/database.ts';

export interface Policy {
  read(): PolicyState;
  start(name: PolicyState['name']): void;
  /** What is left undefined stays as it is. */
  change(changes: {
    readonly [K in keyof Omit<PolicyState, 'name'>]?: PolicyState[K] | undefined;
  }): PolicyState;
}

const common: Omit<PolicyState, 'name' | 'secondPerson'> = {
  unsigned: 'refuse',
  signers: { required: 1, from: [] },
  idleMinutes: 15,
  retention: keptForEver,
};
const initial: Readonly<Record<PolicyState['name'], PolicyState>> = {
  standard: { name: 'standard', secondPerson: true, ...common },
  solo: { name: 'solo', secondPerson: false, ...common },
};

export function createPolicy(db: Database): Policy {
  const write = (state: PolicyState): void => {
    db.prepare('INSERT OR REPLACE INTO policy (only, body) VALUES (1, ?)').run(
      JSON.stringify(state),
    );
  };
  const read = (): PolicyState => {
    const row = db.prepare<[], { body: string }>('SELECT body FROM policy').get();
    return row === undefined ? initial.standard : policyState.parse(JSON.parse(row.body));
  };
  return {
    read,
    start: (name) => write(initial[name]),
    change(changes) {
      const given = Object.fromEntries(
        Object.entries(changes).filter(([, value]) => value !== undefined),
      );
      const next = policyState.parse({ ...read(), ...given });
      write(next);
      return next;
    },
  };
}
