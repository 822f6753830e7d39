/** The tables of `audit.db`: what the writer fills and the checker expects, shared because it is the format. */

/** The list columns are computed from the entry's text, so they cannot say anything else than it. */
export const auditSchema: readonly string[] = [
  `CREATE TABLE meta (
     only INTEGER PRIMARY KEY CHECK (only = 0),
     origin TEXT NOT NULL,
     private_key BLOB NOT NULL,
     verifier_key TEXT NOT NULL
   ) STRICT;
   CREATE TABLE entries (
     idx INTEGER PRIMARY KEY,
     json TEXT NOT NULL,
     action TEXT GENERATED ALWAYS AS (json_extract(json, '$.action')) VIRTUAL,
     actor TEXT GENERATED ALWAYS AS (json_extract(json, '$.actor')) VIRTUAL
   ) STRICT;
   CREATE INDEX entries_by_action ON entries (action, idx);
   CREATE INDEX entries_by_actor ON entries (actor, idx);
   CREATE TABLE hashes (
     level INTEGER NOT NULL,
     idx INTEGER NOT NULL,
     hash BLOB NOT NULL,
     PRIMARY KEY (level, idx)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;`,
];
