/** Tables of this folder in `catalog.db`, beside the keys they speak of; steps are only ever added. FORMAT.md §1. */
export const keptDataSchema: readonly string[] = [
  `CREATE TABLE kept_data (
     run_id TEXT PRIMARY KEY,
     state TEXT NOT NULL CHECK (state IN ('writing', 'kept', 'erased')),
     subject_column TEXT,
     rows INTEGER NOT NULL DEFAULT 0,
     left_out INTEGER NOT NULL DEFAULT 0,
     erased_rows INTEGER NOT NULL DEFAULT 0,
     kept_at TEXT NOT NULL,
     erased_at TEXT
   ) STRICT;
   CREATE TABLE kept_files (
     run_id TEXT NOT NULL REFERENCES kept_data,
     name TEXT NOT NULL CHECK (name IN ('input', 'predictions', 'rows')),
     object_id TEXT NOT NULL,
     size_bytes INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     PRIMARY KEY (run_id, name)
   ) STRICT;
   CREATE TABLE subject_index (
     only INTEGER PRIMARY KEY CHECK (only = 0),
     key_id TEXT NOT NULL
   ) STRICT;
   CREATE TABLE subjects (
     blind_index BLOB PRIMARY KEY,
     key_id TEXT NOT NULL UNIQUE
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE kept_subjects (
     key_id TEXT NOT NULL REFERENCES subjects (key_id),
     run_id TEXT NOT NULL REFERENCES kept_data,
     rows INTEGER NOT NULL,
     PRIMARY KEY (key_id, run_id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX kept_subjects_by_run ON kept_subjects (run_id);`,
];
