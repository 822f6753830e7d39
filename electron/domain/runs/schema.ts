/** Tables of this folder in `records.db`; steps are only ever added. Profiles hold counts, never rows. */
export const runsSchema: readonly string[] = [
  `CREATE TABLE runs (
     run_id TEXT PRIMARY KEY,
     model TEXT NOT NULL,
     version INTEGER NOT NULL,
     version_digest TEXT NOT NULL,
     state TEXT NOT NULL,
     started_at TEXT NOT NULL,
     finished_at TEXT,
     actor TEXT NOT NULL,
     input_name TEXT NOT NULL,
     output_path TEXT NOT NULL,
     rows INTEGER NOT NULL DEFAULT 0,
     rejected INTEGER NOT NULL DEFAULT 0,
     seconds REAL,
     drift_state TEXT,
     drifted INTEGER NOT NULL DEFAULT 0,
     result TEXT,
     error TEXT,
     profile TEXT
   ) STRICT;
   CREATE INDEX runs_by_version ON runs (model, version, started_at);
   CREATE TABLE reference_profiles (
     model TEXT NOT NULL,
     version INTEGER NOT NULL,
     source TEXT NOT NULL CHECK (source IN ('bundle', 'run')),
     run_id TEXT,
     since TEXT NOT NULL,
     profile TEXT NOT NULL,
     PRIMARY KEY (model, version)
   ) STRICT;`,
];

/** What came later. The steps of a database are counted, so these stand behind all that vaults have already. */
export const receiptSchema: readonly string[] = [
  'ALTER TABLE runs ADD COLUMN receipt TEXT;',
  // How far a run has come that may be killed before its end; gone when it has one.
  `CREATE TABLE run_journals (
     run_id TEXT PRIMARY KEY,
     journal TEXT NOT NULL
   ) STRICT;`,
];
