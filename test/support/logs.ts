/** Logs in temporary databases. */
import { join } from 'node:path';
import { migrate, openDatabase, type Database } from '#platform/database.ts';
import { auditSchema, openLog, type AuditLog, type NewEntry } from '#domain/audit/index.ts';

const databaseKey = Buffer.alloc(32, 5);
const vaultId = '00112233445566778899aabbccddeeff';

export function openTestLog(
  dir: string,
  clock = (): Date => new Date(),
  algorithm: 'ed25519' | 'ecdsa-p256' = 'ed25519',
): { readonly db: Database; readonly log: AuditLog } {
  const db = openDatabase(join(dir, 'audit.db'), databaseKey, 'new');
  migrate(db, auditSchema);
  return {
    db,
    log: openLog({
      db,
      clock,
      host: 'test',
      vaultId,
      algorithm,
      memory: { sizes: [], broken: false },
    }),
  };
}

const actor = { actor: 'Ada', role: 'administrator', session: 's1' } as const;

/** One announced act and its outcome. */
export function appendAct(log: AuditLog, details: Partial<NewEntry> = {}): number {
  const { index: of } = log.append({
    ...actor,
    phase: 'begin',
    action: 'run.score',
    objects: [{ type: 'model', id: 'credit-risk' }],
    ...details,
  });
  log.append({
    ...actor,
    phase: 'outcome',
    action: details.action ?? 'run.score',
    of,
    outcome: 'ok',
    objects: [],
  });
  return of;
}
