import { z } from 'zod';
import { password, reason } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { administrators, everyone } from '../roles.ts';
import { recoverySplit } from './vault.ts';

/** What each key of the vault protects: model files, runs and profiles, the catalog, the log. */
export const purpose = z.enum(['models', 'records', 'catalog', 'audit']);
export type Purpose = z.infer<typeof purpose>;

/** Generation of each key, from 1. */
const epochs = z.record(purpose, z.int().positive());

const keychainState = z.strictObject({
  /** Whether this computer, under this host, has a keychain that can be used. */
  available: z.boolean(),
  reason: z.string(),
  /** Whether the person who is signed in unlocks with one. */
  enabled: z.boolean(),
});

export const keys = {
  keychain: method({
    input: none,
    output: keychainState,
    access: everyone,
    about: 'Whether the keychain of this computer can open the vault for you, and whether it does.',
  }),
  setKeychain: method({
    input: z.strictObject({ enabled: z.boolean(), password }),
    output: keychainState,
    access: everyone,
    action: 'keys.keychain',
    about:
      'Lets the keychain of this computer open the vault for you, or stops that; takes your password.',
  }),
  recovery: method({
    input: z.strictObject({ shares: recoverySplit.nullable(), reason }),
    output: z.strictObject({ recoveryKey: z.string() }),
    access: administrators,
    action: 'keys.recovery',
    about: 'Makes a new recovery key, whole or in shares; the old one opens the vault no longer.',
  }),
  rotate: method({
    input: z.strictObject({
      purposes: z
        .array(purpose)
        .min(1, 'choose at least one key')
        .max(4)
        .default([...purpose.options]),
      reason,
    }),
    output: z.strictObject({
      rotated: z.array(purpose),
      epochs,
      /** What the log is signed with from now on; a new one when `audit` is among the purposes. */
      verifierKey: z.string(),
    }),
    access: administrators,
    action: 'keys.rotate',
    about:
      'Replaces keys of the vault: older copies of key slots no longer open what is stored now.',
  }),
};
