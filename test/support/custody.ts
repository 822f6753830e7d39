/** A vault with a log and objects in it, without the application around it, and its backups. */
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { auditSchema, openLog, type AuditLog } from '#domain/audit/index.ts';
import {
  createBackupHistory,
  custodySchema,
  makeBackup,
  type BackupHistory,
  type BackupOptions,
  type BackupOutcome,
} from '#domain/custody/index.ts';
import {
  openVault,
  vaultCatalogSchema,
  vaultErasureSchema,
  type OpenVault,
  type VaultSchema,
} from '#domain/vault/index.ts';
import { adminPassword, chunksOf } from './bare-vault.ts';

export const custodyTestSchema: VaultSchema = {
  catalog: [...vaultCatalogSchema, ...custodySchema, ...vaultErasureSchema],
  audit: auditSchema,
  records: [],
};
const clock = (): Date => new Date();
export const pieceBytes = 64 * 1024;

export interface Custody {
  readonly vault: OpenVault;
  readonly log: AuditLog;
  readonly history: BackupHistory;
  /** Stores one object of random bytes; resolves with its id. */
  add(bytes: Uint8Array): Promise<string>;
  backUp(medium: string, options?: Partial<BackupOptions>): Promise<BackupOutcome>;
}

export function custodyOf(vault: OpenVault): Custody {
  const log = openLog({
    db: vault.audit,
    clock,
    host: 'test',
    vaultId: vault.id,
    algorithm: 'ed25519',
    memory: { sizes: [], broken: false },
  });
  const history = createBackupHistory(vault.catalog, clock);
  return {
    vault,
    log,
    history,
    async add(bytes) {
      const staged = await vault.objects.stage({ source: chunksOf(bytes) });
      await vault.objects.commit([staged], () => undefined);
      return staged.objectId;
    },
    backUp(medium, options = {}) {
      const { index } = log.append({
        actor: 'Ada',
        role: 'administrator',
        session: 's1',
        phase: 'begin',
        action: 'vault.backup',
        objects: [],
      });
      return makeBackup(
        { vault, log, history, clock, settle: () => undefined },
        {
          medium,
          spans: false,
          continues: false,
          pieceBytes,
          by: 'Ada',
          announced: index,
          signal: new AbortController().signal,
          onProgress: () => undefined,
          ...options,
        },
      );
    },
  };
}

export async function openCustody(dir: string): Promise<Custody> {
  return custodyOf(
    await openVault({
      dir,
      user: 'Ada',
      password: adminPassword,
      clock,
      schema: custodyTestSchema,
    }),
  );
}

export async function contentOf(vault: OpenVault, objectId: string): Promise<Buffer> {
  const object = await vault.objects.open(objectId);
  const chunks: Uint8Array[] = [];
  for await (const chunk of object.stream()) chunks.push(Uint8Array.from(chunk));
  await object.close();
  return Buffer.concat(chunks);
}

/** All files below a folder, with their sizes. */
export function filesBelow(dir: string): ReadonlyMap<string, number> {
  return new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, statSync(path).size] as const),
  );
}

export const randomContent = (bytes: number): Buffer => randomBytes(bytes);
