import { z } from 'zod';
import { password, reason, timestamp, userName } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { administrators, everyone, role } from '../roles.ts';

export const user = z.strictObject({
  name: userName,
  role,
  state: z.enum(['active', 'disabled']),
  createdAt: timestamp,
  lastSignIn: timestamp.nullable(),
});
export type User = z.infer<typeof user>;

export const users = {
  list: method({
    input: none,
    output: z.array(user),
    access: everyone,
    about: 'Lists the users and their roles.',
  }),
  add: method({
    input: z.strictObject({ name: userName, role, password }),
    output: user,
    access: administrators,
    action: 'user.add',
    about: 'Adds a user with a role; the key slot holds the keys of that role only.',
  }),
  disable: method({
    input: z.strictObject({ name: userName, reason }),
    output: user,
    access: administrators,
    action: 'user.disable',
    about: 'Removes the key slot of a user: no password opens the vault for them.',
  }),
  enable: method({
    input: z.strictObject({ name: userName, password, reason }),
    output: user,
    access: administrators,
    action: 'user.enable',
    about: 'Gives a disabled user a new key slot and password.',
  }),
  role: method({
    input: z.strictObject({ name: userName, role, reason }),
    output: user,
    access: administrators,
    action: 'user.role',
    about: 'Changes the role of a user and with it the keys that their slot holds.',
  }),
  password: method({
    input: z.strictObject({
      name: userName,
      password,
      /** Your present one, for your own: who finds an open vault must not be able to take it over. */
      present: password.optional(),
    }),
    output: none,
    access: everyone,
    action: 'user.password',
    about:
      'Sets a password: your own, with your present one, or as administrator that of anybody else.',
  }),
};
