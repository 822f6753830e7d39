import { z } from 'zod';
import { reason } from '../ids.ts';
import { method, none } from '../rpc.ts';
import { administrators, everyone } from '../roles.ts';
import { policyName } from './vault.ts';

/** Who must have signed a bundle: so many different signers of the trust list, or of those among them in `from`. */
export const signerPolicy = z.strictObject({
  required: z.int().min(1).max(10),
  /** Names or roles of the trust list; empty is anybody in it. */
  from: z.array(z.string().min(1).max(90)).max(20),
});

/** Days after which a kind of record is due for erasure; null: kept for ever. Entries of the log are never erased. */
const days = z.int().min(1).max(36_500).nullable();
export const retention = z.strictObject({
  /** Input and predictions that a run has kept, from the end of the run. */
  keptData: days,
  /** Records of runs with their profiles, from the end of the run; a monitoring reference stays. */
  runRecords: days,
  /** Files of versions, from the day they were retired or rejected. */
  retiredVersions: days,
  rejectedVersions: days,
});
export type Retention = z.infer<typeof retention>;
export type RetentionKind = keyof Retention;
export const keptForEver: Retention = {
  keptData: null,
  runRecords: null,
  retiredVersions: null,
  rejectedVersions: null,
};

export const policyState = z.strictObject({
  name: policyName,
  /** Promotion to production needs approval by somebody other than who asked for it. */
  secondPerson: z.boolean(),
  /** What happens to a bundle that is unsigned or signed by a key that is not trusted. */
  unsigned: z.enum(['refuse', 'override']),
  signers: signerPolicy.default({ required: 1, from: [] }),
  idleMinutes: z.int().min(1).max(480),
  retention: retention.default(keptForEver),
  /** Whether models may be served to other programs of this computer, over a port on 127.0.0.1. */
  serving: z.boolean().default(false),
});
export type PolicyState = z.infer<typeof policyState>;

export const policy = {
  show: method({
    input: none,
    output: policyState,
    access: everyone,
    about: 'Shows the policy in force.',
  }),
  set: method({
    input: z.strictObject({
      secondPerson: z.boolean().optional(),
      unsigned: z.enum(['refuse', 'override']).optional(),
      signers: signerPolicy.optional(),
      idleMinutes: z.int().min(1).max(480).optional(),
      retention: retention.optional(),
      serving: z.boolean().optional(),
      reason,
    }),
    output: policyState,
    access: administrators,
    action: 'policy.set',
    about: 'Changes the policy; the old and new values stand in the log.',
  }),
};
