import { z } from 'zod';
import { digest, fileName, fileToken, timestamp } from '../ids.ts';
import { job, method, none } from '../rpc.ts';
import { administrators, everyone } from '../roles.ts';

/** What a piece of a backup measures at most, so what a part or a medium must be able to hold. */
export const leastPartBytes = 64 * 1024 * 1024;
const mediaSize = z.int().min(leastPartBytes);
const folders = z.array(fileToken).min(1).max(100);
const vaultId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits');

export const rememberedBackup = z.strictObject({
  id: z.string(),
  startedAt: timestamp,
  startedBy: z.string(),
  /** An unfinished one waits for its next medium, or was interrupted. */
  state: z.enum(['unfinished', 'complete']),
  finishedAt: timestamp.nullable(),
  /** The folders it was written to; for display. */
  places: z.array(z.string()),
  snapshot: z.int().nullable(),
  /** How many entries of the log are in it. */
  logSize: z.int().nullable(),
  digest: digest.nullable(),
});
export type RememberedBackup = z.infer<typeof rememberedBackup>;

const madeBackup = z.strictObject({
  state: z.enum(['complete', 'next-medium']),
  backupId: z.string(),
  /** Where its pieces are. */
  path: z.string(),
  snapshot: z.int().nullable(),
  digest: digest.nullable(),
  logSize: z.int(),
  writtenBytes: z.number(),
  /** Was there already, from an earlier backup or run. */
  keptBytes: z.number(),
  /** What is left for the next medium. */
  missingBytes: z.number(),
});
export type MadeBackup = z.infer<typeof madeBackup>;

const foundSnapshot = z.strictObject({
  number: z.int(),
  /** The rest is null when the manifest cannot be believed; `problem` says why. */
  madeAt: timestamp.nullable(),
  files: z.int().nullable(),
  bytes: z.number().nullable(),
  logSize: z.int().nullable(),
  digest: digest.nullable(),
  problem: z.string().nullable(),
});

const foundBackup = z.strictObject({
  vaultId: z.string().nullable(),
  snapshots: z.array(foundSnapshot),
  pieces: z.int(),
  bytes: z.number(),
});
export type FoundBackup = z.infer<typeof foundBackup>;

const checkedBackup = z.strictObject({
  status: z.enum(['whole', 'damaged']),
  vaultId: z.string().nullable(),
  snapshots: z.int(),
  pieces: z.int(),
  bytes: z.number(),
  /** At most 100 files that are changed, missing or unreadable. */
  problems: z.array(z.strictObject({ file: z.string(), problem: z.string() })),
  /**
   * What the open vault says of it: its log goes on from every snapshot, or does not (then the vault is an older copy, or the
   * backup of another history), or never signed them. Null when no vault is open, or another one.
   */
  ofThisVault: z.enum(['yes', 'other-history', 'other-key']).nullable(),
});
export type CheckedBackup = z.infer<typeof checkedBackup>;

const restoredVault = z.strictObject({
  path: z.string(),
  vaultId: z.string(),
  snapshot: z.int(),
  madeAt: timestamp,
  /** The head of its log. What came after it is not in the vault. */
  logSize: z.int(),
  logRoot: z.string(),
});
export type RestoredVault = z.infer<typeof restoredVault>;

export const backups = {
  list: method({
    input: none,
    output: z.array(rememberedBackup),
    access: everyone,
    about: 'The backups that the vault remembers, newest first.',
  }),
  make: job({
    input: z.strictObject({
      folder: fileToken,
      /** Puts the pieces into folders of at most this size. */
      partBytes: mediaSize.optional(),
      /** Uses no more of the medium than this. */
      mediaBytes: mediaSize.optional(),
      /** A full medium ends the run and not the backup, which goes on on the next. */
      spans: z.boolean().default(false),
      /** Goes on with the backup that waits for its next medium. */
      continues: z.boolean().default(false),
    }),
    output: madeBackup,
    access: administrators,
    action: 'vault.backup',
    about: 'Copies the ciphertext of the vault to a medium, with a signed manifest.',
  }),
  inspect: method({
    input: z.strictObject({ folders }),
    output: z.array(foundBackup),
    access: 'anyone',
    about: 'The backups and snapshots in some folders.',
  }),
  check: job({
    input: z.strictObject({ folders, vaultId: vaultId.optional() }),
    output: checkedBackup,
    access: 'anyone',
    about: 'Reads a backup whole and compares every byte with its manifests.',
  }),
  restore: job({
    input: z.strictObject({
      folders,
      /** Where the vault of this program is, unless another place is named. */
      to: z.strictObject({ folder: fileToken, name: fileName }).optional(),
      vaultId: vaultId.optional(),
      /** The newest, unless one is named. */
      snapshot: z.int().positive().optional(),
    }),
    output: restoredVault,
    access: 'anyone',
    about: 'Makes a vault from a backup; takes no password, and changes no vault that is there.',
  }),
};
