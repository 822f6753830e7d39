/** Tables of this folder in `catalog.db`; steps are only ever added. A proposal's row never changes but by its approval. */
export const reasonsSchema: readonly string[] = [
  `CREATE TABLE reason_texts (
     proposal_id INTEGER PRIMARY KEY,
     model TEXT NOT NULL,
     version INTEGER NOT NULL,
     digest TEXT NOT NULL,
     content TEXT NOT NULL,
     proposed_by TEXT NOT NULL,
     proposed_at TEXT NOT NULL,
     approved_by TEXT,
     approved_at TEXT,
     CHECK ((approved_by IS NULL) = (approved_at IS NULL))
   ) STRICT;
   CREATE INDEX reason_texts_of ON reason_texts (model, version);`,
];
