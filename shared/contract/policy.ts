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

export const policyState = z.strictObject({
  name: policyName,
  /** Promotion to production needs approval by somebody other than who asked for it. */
  secondPerson: z.boolean(),
  /** What happens to a bundle that is unsigned or signed by a key that is not trusted. */
  unsigned: z.enum(['refuse', 'override']),
  signers: signerPolicy.default({ required: 1, from: [] }),
  idleMinutes: z.int().min(1).max(480),
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
      reason,
    }),
    output: policyState,
    access: administrators,
    action: 'policy.set',
    about: 'Changes the policy; the old and new values stand in the log.',
  }),
};
