import { z } from 'zod';
import { password, reason, timestamp, userName } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { everyone, role } from '../roles.ts';

export const profile = z.enum(['standard', 'fips']);
export const policyName = z.enum(['standard', 'solo']);

export const session = z.strictObject({
  user: userName,
  role,
  since: timestamp,
  /** When the vault seals itself if nobody acts. */
  sealsAt: timestamp,
});
export type Session = z.infer<typeof session>;

/** Any `threshold` of so many shares bring the recovery key back. */
export const recoverySplit = z
  .strictObject({ threshold: z.int().min(2).max(20), shares: z.int().min(2).max(20) })
  .refine(({ threshold, shares }) => threshold <= shares, 'more shares needed than there are');
/** What a person has on paper: the recovery key, or its shares, one on a line. */
const recoveryText = z.string().min(1).max(4000);

const logHead = z.strictObject({
  size: z.int().nonnegative(),
  /** Hex SHA-256 root of the tree of that size. */
  root: z.string(),
  lastVerified: z.strictObject({ at: timestamp, status: z.enum(['intact', 'broken']) }).nullable(),
});

export const vaultStatus = z.strictObject({
  state: z.enum(['absent', 'sealed', 'open']),
  /** For display only. */
  path: z.string(),
  vaultId: z.string().nullable(),
  profile: profile.nullable(),
  formatVersion: z.int().nullable(),
  session: session.nullable(),
  log: logHead.nullable(),
  /** Why it sealed itself, when it did. */
  sealedBecause: z.enum(['command', 'idle', 'log-failure', 'locked-screen']).nullable(),
  /** The checkpoint that this computer keeps outside the vault, as the last sign-in found it. */
  pin: z
    .strictObject({
      state: z.enum(['kept', 'missing', 'unreadable', 'off']),
      size: z.int().nullable(),
    })
    .nullable(),
  /** The vault is older than that checkpoint: it is only looked at until an administrator accepts it. */
  rolledBack: z
    .strictObject({
      message: z.string(),
      keptSize: z.int(),
      foundSize: z.int(),
      /** When the backup was made that it was restored from; null for any other way back. */
      restoredFrom: timestamp.nullable(),
    })
    .nullable(),
  /** A keychain of this computer may open it for somebody. */
  keychain: z.boolean(),
  passwordPolicy: z.strictObject({ minLength: z.int() }),
});
export type VaultStatus = z.infer<typeof vaultStatus>;

const recovery = z.strictObject({
  rolledBack: z.int(),
  swept: z.int(),
  quarantined: z.int(),
});

export const vault = {
  status: method({
    input: none,
    output: vaultStatus,
    access: 'anyone',
    about: 'State of the vault, who is signed in, head of the log.',
  }),
  create: method({
    input: z.strictObject({
      user: userName,
      password,
      profile: profile.default('standard'),
      policy: policyName.default('standard'),
      recoveryShares: recoverySplit.optional(),
    }),
    output: z.strictObject({ session, recoveryKey: recoveryText, vaultId: z.string() }),
    access: 'anyone',
    about: 'Creates the vault and its first administrator; the recovery key is shown this once.',
  }),
  signIn: method({
    input: z.strictObject({ user: userName, password }),
    output: z.strictObject({ session, repaired: recovery }),
    access: 'anyone',
    about: 'Opens the vault for one user.',
  }),
  signInWithKeychain: method({
    input: z.strictObject({ user: userName }),
    output: z.strictObject({ session, repaired: recovery }),
    access: 'anyone',
    about: 'Opens the vault for one user with the keychain of this computer.',
  }),
  recover: method({
    input: z.strictObject({
      recoveryKey: recoveryText,
      user: userName,
      newPassword: password,
      reason,
    }),
    output: z.strictObject({ session, repaired: recovery }),
    access: 'anyone',
    about: 'Sets a new password for an administrator with the recovery key.',
  }),
  seal: method({
    input: none,
    output: none,
    access: 'anyone',
    about: 'Closes the vault: keys leave the memory, the databases are closed.',
  }),
  touch: method({
    input: none,
    output: none,
    access: everyone,
    about: 'Says that somebody is working, so the idle clock starts again.',
  }),
};
