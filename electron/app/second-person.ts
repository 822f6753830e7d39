/** A second person at the desk of the first: their password is checked, and who is signed in stays. */
import { AppError } from '#shared/errors.ts';
import type { User } from '#shared/contract/users.ts';
import { actorOf, type OpenVaultState } from './open-state.ts';

/** Throws `wrong-password`, which the log has then, or `locked` after too many tries. */
export async function checkSecondPerson(
  opened: OpenVaultState,
  user: string,
  password: string,
): Promise<User> {
  const { users, vault, log } = opened;
  await vault.slots.check(user, password).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'wrong-password')
      log.append({
        ...actorOf(opened),
        phase: 'event',
        action: 'vault.sign-in-failed',
        objects: [{ type: 'second-person', id: user }],
        outcome: 'refused',
        details: { attempts: 1 },
      });
    throw error;
  });
  const found = users.find(user);
  if (found === undefined)
    throw new AppError('wrong-password', 'The name or the password is not right.');
  return found;
}
