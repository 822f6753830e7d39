/** Tables of this folder in `catalog.db`; steps are only ever added. */
export const identitySchema: readonly string[] = [
  `CREATE TABLE users (
     name_key TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     role TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('active','disabled')),
     slot_id TEXT,
     created_at TEXT NOT NULL,
     last_sign_in TEXT
   ) STRICT;
   CREATE TABLE trusted_keys (
     key_id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('key','certificate')),
     algorithm TEXT NOT NULL,
     pem TEXT NOT NULL,
     added_at TEXT NOT NULL,
     added_by TEXT NOT NULL,
     expires_at TEXT,
     note TEXT
   ) STRICT;
   CREATE TABLE policy (
     only INTEGER PRIMARY KEY CHECK (only = 1),
     body TEXT NOT NULL
   ) STRICT;`,
];

/** Kinds, roles and identities beside the keys of `identitySchema`; who is removed stays as a row that counts for nothing. */
export const trustSchema: readonly string[] = [
  `CREATE TABLE trust_anchors (
     key_id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('key','certificate','sigstore')),
     role TEXT,
     algorithm TEXT NOT NULL,
     pem TEXT NOT NULL,
     identity TEXT,
     added_at TEXT NOT NULL,
     added_by TEXT NOT NULL,
     expires_at TEXT,
     note TEXT,
     removed_at TEXT
   ) STRICT;
   INSERT INTO trust_anchors
     SELECT key_id, name, kind, NULL, algorithm, pem, NULL, added_at, added_by, expires_at, note, NULL
     FROM trusted_keys;
   DROP TABLE trusted_keys;`,
];
