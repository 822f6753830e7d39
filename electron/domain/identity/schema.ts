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
