/** Handlers of who may do what. */
import type { contract } from '#shared/contract/index.ts';
import type { BeforeAct } from '#domain/identity/index.ts';
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
      add: (context, input) => context.open().users.add(input, settledBy(context)),
      disable: (context, { name }) => context.open().users.disable(name, settledBy(context)),
      enable: (context, { name, password }) =>
        context.open().users.enable(name, password, settledBy(context)),
      role: (context, { name, role }) =>
        context.open().users.setRole(name, role, settledBy(context)),
      password: (context, input) => setPassword(context, input, sessions),
    },
    keys: {
      keychain: (context) => keychainState(context, deps.keychain),
      setKeychain: (context, input) => setKeychain(context, input, deps),
      recovery: async ({ open, settleSlot }, { shares }) => {
        const { slots } = open().vault;
        const recoveryKey = await slots.renewRecovery(shares ?? undefined, (change) =>
          settleSlot({ change, details: { shares } }),
        );
        return { recoveryKey };
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
      set: async (context, { reason: _reason, ...changes }) => {
        const state = atOnce(context, ({ policy }) => {
          const before = policy.read();
          const after = policy.change(changes);
          return [after, { details: { before, after } }];
        });
        if (!state.serving) await deps.serving.end('policy');
        return state;
      },
    },
  };
}

/** What the outcome will say, and the row, are remembered before the slot changes. */
function settledBy({ settleSlot }: CallContext): BeforeAct {
  return (change, user) =>
    settleSlot({
      change,
      user,
      objects: [{ type: 'user', id: user.name }],
      details: { role: user.role, state: user.state },
    });
}
