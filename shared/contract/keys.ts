import { z } from 'zod';
import { reason } from '../ids.ts';
import { method } from '../rpc.ts';
import { administrators } from '../roles.ts';
import { recoverySplit } from './vault.ts';

/** What each key of the vault protects: model files, runs and profiles, the catalog, the log. */
export const purpose = z.enum(['models', 'records', 'catalog', 'audit']);
export type Purpose = z.infer<typeof purpose>;

/** Generation of each key, from 1. */
const epochs = z.record(purpose, z.int().positive());

export const keys = {
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
        .min(1)
        .max(4)
        .default([...purpose.options]),
      reason,
    }),
    output: z.strictObject({ rotated: z.array(purpose), epochs }),
    access: administrators,
    action: 'keys.rotate',
    about:
      'Replaces keys of the vault: older copies of key slots no longer open what is stored now.',
  }),
};
