import { z } from 'zod';

/** Where a version stands; see the transition table in `domain/registry`. */
export const stages = [
  'quarantined',
  'candidate',
  'approved',
  'production',
  'retired',
  'rejected',
  'erased',
] as const;
export const stage = z.enum(stages);
export type Stage = (typeof stages)[number];
