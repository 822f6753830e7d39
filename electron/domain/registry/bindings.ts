/** Bindings of columns to inputs that an analyst saved with a version whose bundle says nothing of them. The last one counts. */
import type { Database } from '#platform/database.ts';

/** Added later than the tables of `registrySchema`. */
export const bindingSchema: readonly string[] = [
  `CREATE TABLE bindings (
     model_id INTEGER NOT NULL,
     version INTEGER NOT NULL,
     pipeline TEXT NOT NULL,
     saved_by TEXT NOT NULL,
     saved_at TEXT NOT NULL,
     PRIMARY KEY (model_id, version),
     FOREIGN KEY (model_id, version) REFERENCES versions
   ) STRICT;`,
];

export interface StoredBinding {
  /** Canonical JSON. */
  readonly pipeline: string;
  readonly savedBy: string;
  readonly savedAt: string;
}

type VersionKey = { readonly modelId: number; readonly version: number };

export function readBinding(db: Database, key: VersionKey): StoredBinding | undefined {
  return db
    .prepare<[number, number], StoredBinding>(
      `SELECT pipeline, saved_by AS savedBy, saved_at AS savedAt FROM bindings
       WHERE model_id = ? AND version = ?`,
    )
    .get(key.modelId, key.version);
}

export function writeBinding(db: Database, key: VersionKey, binding: StoredBinding): void {
  db.prepare('INSERT OR REPLACE INTO bindings VALUES (?, ?, ?, ?, ?)').run(
    key.modelId,
    key.version,
    binding.pipeline,
    binding.savedBy,
    binding.savedAt,
  );
}
