/** Who is signed in, and what the contract lets that role do. */
import type { Method } from '#shared/rpc.ts';
import type { Session } from '#shared/contract/vault.ts';
import { useApp } from './store.ts';

export function useSession(): Session {
  const session = useApp(({ status }) => status?.session);
  if (session === null || session === undefined)
    throw new Error('This part of the window is shown to people who are signed in.');
  return session;
}

/** Whether the signed-in role may call a method, and the vault takes it now: an older one takes no act until it is accepted. */
export function useMay(): (method: Method) => boolean {
  const { role } = useSession();
  const isHeld = useApp(({ status }) => (status?.rolledBack ?? null) !== null);
  return ({ access, action, whenRolledBack }) =>
    (access === 'anyone' || access.includes(role)) &&
    !(isHeld && action !== undefined && whenRolledBack !== 'unlogged');
}
