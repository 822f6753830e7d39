/** A new password for somebody. Their own they change with the present one, so that an open vault cannot be taken over. */
import { AppError } from '#shared/errors.ts';
import type { InputOf } from '#shared/rpc.ts';
import type { contract } from '#shared/contract/index.ts';
import type { CallContext } from './handler.ts';
import type { Sessions } from './sessions.ts';

/** Throws `wrong-password` and `locked` as a sign-in does: tries count. */
export async function setPassword(
  { open, note, settleSlot }: CallContext,
  { name, password, present }: InputOf<(typeof contract)['users']['password']>,
  sessions: Pick<Sessions, 'checkPassword'>,
): Promise<null> {
  const { users, session } = open();
  // Names are told apart without upper and lower case.
  const user = users.find(name)?.name ?? name;
  note({ objects: [{ type: 'user', id: user }] });
  if (user !== session.user && session.role !== 'administrator')
    throw new AppError('forbidden', 'Only an administrator sets the password of somebody else.');
  if (user === session.user) {
    if (present === undefined)
      throw new AppError('invalid-input', 'Give your present password to change it.');
    await sessions.checkPassword(user, present);
  }
  await open().users.setPassword(user, password, (change) => settleSlot({ change }));
  return null;
}
