/** Tables of this folder in `catalog.db`; steps are only ever added. A version's row never changes but in `stage`. */
export const registrySchema: readonly string[] = [
  `CREATE TABLE models (
     model_id INTEGER PRIMARY KEY,
     name_key TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     description TEXT
   ) STRICT;
   CREATE TABLE versions (
     model_id INTEGER NOT NULL REFERENCES models,
     version INTEGER NOT NULL CHECK (version > 0),
     digest TEXT NOT NULL,
     stage TEXT NOT NULL,
     format TEXT NOT NULL,
     size_bytes INTEGER NOT NULL,
     imported_at TEXT NOT NULL,
     imported_by TEXT NOT NULL,
     overridden INTEGER NOT NULL CHECK (overridden IN (0, 1)),
     signature TEXT NOT NULL,
     findings TEXT NOT NULL,
     facts TEXT NOT NULL,
     card TEXT,
     first_contact TEXT NOT NULL,
     PRIMARY KEY (model_id, version),
     UNIQUE (model_id, digest)
   ) STRICT;
   CREATE TABLE version_files (
     model_id INTEGER NOT NULL,
     version INTEGER NOT NULL,
     path TEXT NOT NULL,
     object_id TEXT NOT NULL,
     size_bytes INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     PRIMARY KEY (model_id, version, path),
     FOREIGN KEY (model_id, version) REFERENCES versions
   ) STRICT;
   CREATE TABLE model_events (
     event_id INTEGER PRIMARY KEY,
     model_id INTEGER NOT NULL REFERENCES models,
     version INTEGER,
     at TEXT NOT NULL,
     kind TEXT NOT NULL,
     from_value TEXT,
     to_value TEXT,
     actor TEXT NOT NULL,
     reason TEXT
   ) STRICT;
   CREATE TABLE alias_intervals (
     model_id INTEGER NOT NULL REFERENCES models,
     alias TEXT NOT NULL,
     version INTEGER NOT NULL,
     from_at TEXT NOT NULL,
     to_at TEXT,
     actor TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX one_open_alias ON alias_intervals (model_id, alias) WHERE to_at IS NULL;
   CREATE TABLE requests (
     model_id INTEGER NOT NULL,
     version INTEGER NOT NULL,
     to_stage TEXT NOT NULL,
     requested_by TEXT NOT NULL,
     requested_at TEXT NOT NULL,
     reason TEXT NOT NULL,
     PRIMARY KEY (model_id, version),
     FOREIGN KEY (model_id, version) REFERENCES versions
   ) STRICT;`,
];

/** What the gate said of each bundle that was to be imported; with `version` of those that came in. */
export const verdictSchema: readonly string[] = [
  `CREATE TABLE verdicts (
     log_index INTEGER PRIMARY KEY,
     decision TEXT NOT NULL CHECK (decision IN ('accepted','overridden','refused')),
     model_id INTEGER,
     version INTEGER,
     signatures TEXT NOT NULL,
     override TEXT,
     svr TEXT NOT NULL,
     sarif TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX verdict_of_version ON verdicts (model_id, version) WHERE version IS NOT NULL;`,
];
