/** Tables of this folder in `catalog.db`; steps are only ever added. */
export const custodySchema: readonly string[] = [
  `CREATE TABLE backups (
     id TEXT PRIMARY KEY,
     started_at TEXT NOT NULL,
     started_by TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('unfinished', 'complete')),
     finished_at TEXT,
     places TEXT NOT NULL,
     snapshot INTEGER,
     log_size INTEGER,
     digest TEXT
   ) STRICT;
   CREATE TABLE object_pieces (
     object_id TEXT NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
     at INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     bytes INTEGER NOT NULL,
     PRIMARY KEY (object_id, at)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE written_pieces (
     backup_id TEXT NOT NULL REFERENCES backups (id) ON DELETE CASCADE,
     sha256 TEXT NOT NULL,
     PRIMARY KEY (backup_id, sha256)
   ) STRICT, WITHOUT ROWID;`,
];
