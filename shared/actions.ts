import { z } from 'zod';

/** The typed catalogue of acts that the log records (NIST SP 800-53 AU-2). Names are never reused. */
export const auditActions = [
  'vault.create',
  'vault.sign-in',
  'vault.sign-in-failed',
  'vault.seal',
  'vault.recover',
  'vault.repair',
  'vault.backup',
  'vault.restore',
  'user.add',
  'user.disable',
  'user.enable',
  'user.role',
  'user.password',
  'trust.add',
  'trust.remove',
  'keys.rotate',
  'keys.recovery',
  'policy.set',
  'bundle.import',
  'bundle.export',
  'model.promote',
  'model.approve',
  'model.reject',
  'model.rollback',
  'model.retire',
  'run.score',
  'monitor.reference',
  'audit.export',
  'audit.pin-accept',
  'report.make',
] as const;
export const auditAction = z.enum(auditActions);
export type AuditAction = (typeof auditActions)[number];
