/** Reading and writing the registry's rows. What may happen to a version is decided in `lifecycle.ts`. */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import {
  type FirstContact,
  type InspectReport,
  type ModelFacts,
  type OverrideMark,
} from '#shared/contract/bundles.ts';
import { stage, type Stage } from '#shared/contract/stage.ts';
import type { Database } from '#platform/database.ts';
import { writeVerdict, type NewVerdict } from './verdicts.ts';

export interface VersionKey {
  readonly modelId: number;
  readonly model: string;
  readonly version: number;
}

export interface StoredFile {
  readonly path: string;
  readonly objectId: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface NewVersion {
  readonly name: string;
  readonly report: InspectReport & { readonly model: ModelFacts };
  readonly files: readonly StoredFile[];
  readonly stage: Stage;
  readonly firstContact: FirstContact;
  readonly overridden: boolean;
  readonly verdict: NewVerdict;
  readonly at: string;
  readonly by: string;
}

export interface ModelEvent {
  readonly at: string;
  readonly kind: 'imported' | 'stage' | 'alias' | 'requested' | 'request-closed';
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly actor: string;
  readonly reason?: string | undefined;
}

const versionColumns = `m.name AS model, m.model_id AS modelId, v.version, v.digest, v.stage, v.format,
  v.size_bytes AS sizeBytes, v.imported_at AS importedAt, v.imported_by AS importedBy, v.overridden,
  v.signature, v.findings, v.facts, v.card, v.first_contact AS firstContact,
  r.to_stage AS requestTo, r.requested_by AS requestedBy, r.requested_at AS requestedAt, r.reason AS requestReason`;
const versionTables = `versions v JOIN models m USING (model_id)
  LEFT JOIN requests r ON r.model_id = v.model_id AND r.version = v.version`;

const versionRow = z.object({
  model: z.string(),
  modelId: z.number(),
  version: z.number(),
  digest: z.string(),
  stage,
  format: z.string(),
  sizeBytes: z.number(),
  importedAt: z.string(),
  importedBy: z.string(),
  overridden: z.number(),
  signature: z.string(),
  findings: z.string(),
  facts: z.string(),
  card: z.string().nullable(),
  firstContact: z.string(),
  requestTo: stage.nullable(),
  requestedBy: z.string().nullable(),
  requestedAt: z.string().nullable(),
  requestReason: z.string().nullable(),
});
export type VersionRow = z.infer<typeof versionRow>;

export function modelKey(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

export function readModel(
  db: Database,
  name: string,
): { modelId: number; name: string; description: string | null } {
  const row = db
    .prepare<[string], { modelId: number; name: string; description: string | null }>(
      'SELECT model_id AS modelId, name, description FROM models WHERE name_key = ?',
    )
    .get(modelKey(name));
  if (row === undefined) throw new AppError('not-found', `There is no model named ${name}.`);
  return row;
}

export function readModels(
  db: Database,
): { modelId: number; name: string; description: string | null }[] {
  return db
    .prepare<[], { modelId: number; name: string; description: string | null }>(
      'SELECT model_id AS modelId, name, description FROM models ORDER BY name_key',
    )
    .all();
}

/** Newest first. */
export function readVersions(db: Database, modelId: number): VersionRow[] {
  return db
    .prepare(
      `SELECT ${versionColumns} FROM ${versionTables} WHERE v.model_id = ? ORDER BY v.version DESC`,
    )
    .all(modelId)
    .map((row) => versionRow.parse(row));
}

export function readVersion(
  db: Database,
  key: { readonly modelId: number; readonly version: number },
): VersionRow {
  const row = db
    .prepare(
      `SELECT ${versionColumns} FROM ${versionTables} WHERE v.model_id = ? AND v.version = ?`,
    )
    .get(key.modelId, key.version);
  if (row === undefined) throw new AppError('not-found', 'There is no such version.');
  return versionRow.parse(row);
}

/** Any stored file of that content. */
export function findFile(db: Database, sha256: string): StoredFile | undefined {
  return db
    .prepare<[string], StoredFile>(
      `SELECT f.path, f.object_id AS objectId, f.size_bytes AS bytes, f.sha256
       FROM version_files f JOIN versions v USING (model_id, version)
         JOIN objects o ON o.id = f.object_id
       WHERE f.sha256 = ? AND v.stage <> 'erased' AND o.state = 'live' LIMIT 1`,
    )
    .get(sha256);
}

export function readFiles(
  db: Database,
  key: { readonly modelId: number; readonly version: number },
): StoredFile[] {
  return db
    .prepare<[number, number], StoredFile>(
      `SELECT path, object_id AS objectId, size_bytes AS bytes, sha256 FROM version_files
       WHERE model_id = ? AND version = ? ORDER BY path`,
    )
    .all(key.modelId, key.version);
}

/** Objects that belong to this version and to no other that still has its files. */
export function objectsOf(
  db: Database,
  key: { readonly modelId: number; readonly version: number },
): string[] {
  return db
    .prepare<[number, number], string>(
      `SELECT DISTINCT object_id FROM version_files f WHERE model_id = ? AND version = ? AND NOT EXISTS (
         SELECT 1 FROM version_files o JOIN versions v USING (model_id, version)
         WHERE o.object_id = f.object_id AND v.stage <> 'erased'
           AND (o.model_id, o.version) <> (f.model_id, f.version))`,
    )
    .pluck()
    .all(key.modelId, key.version);
}

/** When versions entered one of these stages in which they still are, oldest first. */
export function readStaying(
  db: Database,
  stages: readonly Stage[],
): {
  readonly model: string;
  readonly version: number;
  readonly stage: Stage;
  readonly since: string;
  readonly bytes: number;
}[] {
  return db
    .prepare<
      string[],
      { model: string; version: number; stage: Stage; since: string; bytes: number }
    >(
      `SELECT m.name AS model, v.version, v.stage, v.size_bytes AS bytes,
         (SELECT max(e.at) FROM model_events e
          WHERE e.model_id = v.model_id AND e.version = v.version AND e.kind = 'stage') AS since
       FROM versions v JOIN models m USING (model_id)
       WHERE v.stage IN (${stages.map(() => '?').join(', ')}) ORDER BY since, m.name_key, v.version`,
    )
    .all(...stages);
}

export function readAliases(
  db: Database,
  key: { readonly modelId: number; readonly version: number },
): string[] {
  return db
    .prepare<[number, number], { alias: string }>(
      'SELECT alias FROM alias_intervals WHERE model_id = ? AND version = ? AND to_at IS NULL',
    )
    .all(key.modelId, key.version)
    .map((row) => row.alias);
}

export function writeEvent(
  db: Database,
  key: { readonly modelId: number; readonly version: number | undefined },
  event: ModelEvent,
): void {
  db.prepare(
    `INSERT INTO model_events (model_id, version, at, kind, from_value, to_value, actor, reason)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    key.modelId,
    key.version ?? null,
    event.at,
    event.kind,
    event.from ?? null,
    event.to ?? null,
    event.actor,
    event.reason ?? null,
  );
}

/** Inserts model (if new), version and files. Call inside the transaction that makes the objects live. */
export function writeVersion(db: Database, entry: NewVersion): VersionKey {
  const { report } = entry;
  db.prepare(
    'INSERT INTO models (name_key, name, description) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  ).run(modelKey(entry.name), entry.name.normalize('NFC'), report.card?.description ?? null);
  const { modelId, name } = readModel(db, entry.name);
  const same = db
    .prepare<[number, string], { version: number; stage: string }>(
      'SELECT version, stage FROM versions WHERE model_id = ? AND digest = ?',
    )
    .get(modelId, report.manifestDigest);
  if (same !== undefined) {
    throw new AppError(
      'conflict',
      same.stage === 'erased'
        ? `These files were erased as ${name}@${same.version}, which stays so. Import them under another name if they are to come back.`
        : `These files are in the vault already, as ${name}@${same.version}.`,
      {
        details: { version: `${name}@${same.version}` },
      },
    );
  }
  const last = db
    .prepare<[number], { last: number | null }>(
      'SELECT max(version) AS last FROM versions WHERE model_id = ?',
    )
    .get(modelId);
  const version = (last?.last ?? 0) + 1;
  db.prepare('INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    modelId,
    version,
    report.manifestDigest,
    entry.stage,
    report.format,
    report.totalBytes,
    entry.at,
    entry.by,
    entry.overridden ? 1 : 0,
    JSON.stringify(report.signature),
    JSON.stringify(report.findings),
    JSON.stringify(report.model),
    report.card === null ? null : JSON.stringify(report.card),
    JSON.stringify(entry.firstContact),
  );
  const addFile = db.prepare('INSERT INTO version_files VALUES (?, ?, ?, ?, ?, ?)');
  for (const file of entry.files) {
    addFile.run(modelId, version, file.path, file.objectId, file.bytes, file.sha256);
  }
  writeVerdict(db, entry.verdict, { modelId, version });
  writeEvent(
    db,
    { modelId, version },
    {
      at: entry.at,
      kind: 'imported',
      to: entry.stage,
      actor: entry.by,
      reason: overrideSentence(entry.verdict.override),
    },
  );
  return { modelId, model: name, version };
}

function overrideSentence(override: OverrideMark | undefined): string | undefined {
  return override === undefined
    ? undefined
    : `let in by ${override.by ?? 'a second person'}: ${override.reason ?? ''}`;
}
