/** Handlers of who may do what. */
import type { contract } from '#shared/contract/index.ts';
import type { User } from '#shared/contract/users.ts';
import { atOnce } from '../catalog-acts.ts';
import type { CallContext, Handlers } from '../handler.ts';
import { keychainState, setKeychain } from '../keychain-unlock.ts';
import { rotateKeys } from '../rotate-keys.ts';
import { setPassword } from '../set-password.ts';
import { readText } from '../small-files.ts';

import type { HandlerDeps } from './deps.ts';

export function peopleHandlers(
  deps: HandlerDeps,
): Pick<Handlers<typeof contract>, 'users' | 'keys' | 'trust' | 'policy'> {
  const { sessions, operations, pathOf } = deps;
  return {
    users: {
      list: ({ open }) => open().users.list(),
      add: ({ open, note }, input) => open().users.add(input).then(noted(note)),
      disable: ({ open, note }, { name }) => open().users.disable(name).then(noted(note)),
      enable: ({ open, note }, { name, password }) =>
        open().users.enable(name, password).then(noted(note)),
      role: ({ open, note }, { name, role }) => open().users.setRole(name, role).then(noted(note)),
      password: (context, input) => setPassword(context, input, sessions),
    },
    keys: {
      keychain: (context) => keychainState(context, deps.keychain),
      setKeychain: (context, input) => setKeychain(context, input, deps),
      recovery: async ({ open, note }, { shares }) => {
        note({ details: { shares } });
        return { recoveryKey: await open().vault.slots.renewRecovery(shares ?? undefined) };
      },
      rotate: (context, input) => rotateKeys(context, input, { sessions, operations }),
    },
    trust: {
      list: ({ open }) => open().trust.list(),
      add: async (context, { file, reason, ...entry }) => {
        const text = await readText(pathOf(file));
        return atOnce(context, ({ trust, session }) => {
          const { name, role, identity } = entry;
          const added = trust.add({ name, role, identity, text, by: session.user, note: reason });
          return [added, { objects: [{ type: 'key', id: added.keyId }] }];
        });
      },
      remove: (context, { keyId }) =>
        atOnce(context, ({ trust }) => {
          const removed = trust.remove(keyId);
          return [removed, { objects: [{ type: 'key', id: removed.keyId }] }];
        }),
    },
    policy: {
      show: ({ open }) => open().policy.read(),
      set: (context, { reason: _reason, ...changes }) =>
        atOnce(context, ({ policy }) => {
          const before = policy.read();
          const after = policy.change(changes);
          return [after, { details: { before, after } }];
        }),
    },
  };
}

function noted(note: CallContext['note']): (user: User) => User {
  return (user) => {
    note({
      objects: [{ type: 'user', id: user.name }],
      details: { role: user.role, state: user.state },
    });
    return user;
  };
}
