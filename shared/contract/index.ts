/** Every method of the product, declared once. Client, dispatcher, command line and tests are made from it. */
import { z } from 'zod';
import type { Client, Contract } from '../rpc.ts';
import { audit } from './audit.ts';
import { backups } from './backups.ts';
import { bindings } from './bindings.ts';
import { bundles } from './bundles.ts';
import { keys } from './keys.ts';
import { erasure } from './erasure.ts';
import { media } from './media.ts';
import { models } from './models.ts';
import { monitor } from './monitor.ts';
import { operations } from './operations.ts';
import { policy } from './policy.ts';
import { records } from './records.ts';
import { reports } from './reports.ts';
import { runs } from './runs.ts';
import { serving } from './serving.ts';
import { system } from './system.ts';
import { trust } from './trust.ts';
import { users } from './users.ts';
import { vault } from './vault.ts';

export const contract = {
  vault,
  users,
  keys,
  trust,
  policy,
  media,
  bundles,
  models,
  bindings,
  runs,
  records,
  monitor,
  erasure,
  audit,
  backups,
  reports,
  serving,
  system,
  operations,
} as const satisfies Contract;

export type AppContract = typeof contract;
export type AppClient = Client<AppContract>;

/** What the core tells the window: that something changed, never what. */
export const appEvent = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('changed'),
    topic: z.enum([
      'vault',
      'users',
      'trust',
      'policy',
      'models',
      'runs',
      'monitor',
      'audit',
      'reports',
      'media',
      'serving',
    ]),
  }),
  z.strictObject({ kind: z.literal('operation'), operationId: z.string() }),
]);
export type AppEvent = z.infer<typeof appEvent>;
