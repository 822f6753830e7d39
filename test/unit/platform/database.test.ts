import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, scrub } from '#platform/database.ts';
import { pagesOf } from '../../support/pages.ts';
import { temporaryFolder } from '../../support/vaults.ts';

test('what was deleted stands in no page after a scrub: not in use, not free, not in the log', () => {
  const path = join(temporaryFolder(), 'keys.db');
  const key = randomBytes(32);
  const db = openDatabase(path, key, 'new');
  onTestFinished(() => void db.close());
  db.exec('CREATE TABLE keys (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT');
  const insert = db.prepare('INSERT INTO keys VALUES (?, ?)');
  // The ids decide how pages are split. With these, stale copies of cells that moved stay behind.
  const rows = Array.from({ length: 3000 }, (_, at) => ({
    id: createHash('sha256').update(`row 97 ${at}`).digest('hex').slice(0, 32),
    wrapped: randomBytes(60),
  }));
  // In many transactions and in no order, so that pages are split and cells move.
  for (let from = 0; from < rows.length; from += 100)
    db.transaction(() => {
      for (const { id, wrapped } of rows.slice(from, from + 100)) insert.run(id, wrapped);
    })();
  const inPages = (): ((row: (typeof rows)[number]) => boolean) => {
    const pages = Buffer.concat(pagesOf(path, key));
    return ({ id, wrapped }) => pages.includes(wrapped) || pages.includes(id);
  };
  expect(rows.filter(inPages()).length).toBe(rows.length);
  // Some here and there, and whole pages at once.
  const gone = rows.filter((_row, at) => at % 3 === 0 || at > 2500);
  const remove = db.prepare('DELETE FROM keys WHERE id = ?');
  for (const { id } of gone) remove.run(id);
  expect(gone.some(inPages())).toBe(true);
  db.pragma('wal_checkpoint(TRUNCATE)');
  expect(gone.some(inPages()), 'what the overwriting of SQLite itself leaves').toBe(true);
  scrub(db);
  expect(gone.filter(inPages())).toEqual([]);
  expect(rows.filter(inPages()).length).toBe(rows.length - gone.length);
});
