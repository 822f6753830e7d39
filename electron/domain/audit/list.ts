/** Reading entries back: pages for the window, newest first, and what a killed program left unfinished. */
import type { LogEntry } from '#shared/contract/audit.ts';
import type { Database } from '#platform/database.ts';
import { leafHash } from './merkle.ts';

export interface ListedEntry {
  readonly entry: LogEntry;
  /** Hex. */
  readonly leafHash: string;
}

export interface LogFilter {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly text?: string | undefined;
}

export function allTexts(db: Database): IterableIterator<string> {
  return db.prepare<[], string>('SELECT json FROM entries ORDER BY idx').pluck().iterate();
}

export function listEntries(
  db: Database,
  { before, after, limit, action, actor, text }: LogFilter,
): { readonly entries: ListedEntry[]; readonly total: number } {
  const where = ['1 = 1'];
  const values: (string | number)[] = [];
  const filter = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  filter('action = ?', action);
  filter('actor = ?', actor);
  filter(
    String.raw`json LIKE ? ESCAPE '\'`,
    text === undefined ? undefined : `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%`,
  );
  const total =
    db
      .prepare<(string | number)[], number>(
        `SELECT count(*) FROM entries WHERE ${where.join(' AND ')}`,
      )
      .pluck()
      .get(...values) ?? 0;
  filter('idx < ?', before);
  filter('idx > ?', after);
  const rows = db
    .prepare<(string | number)[], { idx: number; json: string }>(
      `SELECT idx, json FROM entries WHERE ${where.join(' AND ')} ORDER BY idx DESC LIMIT ?`,
    )
    .all(...values, limit);
  return {
    entries: rows.map((row) => ({
      entry: JSON.parse(row.json) as LogEntry,
      leafHash: Buffer.from(leafHash(Buffer.from(row.json))).toString('hex'),
    })),
    total,
  };
}

/** Every sign-in settles what came before it, so only what is newer than the last one has to be looked at. */
export function unfinishedActs(db: Database): LogEntry[] {
  const entries = db
    .prepare<[], string>(
      `SELECT json FROM entries WHERE idx >= (
         SELECT coalesce(max(idx), 0) FROM entries WHERE action IN ('vault.create', 'vault.sign-in')
       ) ORDER BY idx`,
    )
    .pluck()
    .all()
    .map((text) => JSON.parse(text) as LogEntry);
  const ended = new Set(entries.map(({ of }) => of));
  return entries.filter(({ phase, index }) => phase === 'begin' && !ended.has(index));
}

/**
 * What is wrong between the log and the sizes that the other databases remember; undefined when nothing is. They are told
 * right after a sign-in and at a seal, so none may know more than the log has, nor less than the sign-in that later acts
 * came after.
 */
export function memoryProblem(
  db: Database,
  size: number,
  sizes: readonly number[],
): string | undefined {
  const begun =
    db
      .prepare<[], number>(
        "SELECT coalesce(max(idx) + 1, 0) FROM entries WHERE action IN ('vault.create', 'vault.sign-in')",
      )
      .pluck()
      .get() ?? 0;
  const longest = Math.max(0, ...sizes);
  if (longest > size)
    return `The log had ${longest} entries when the vault was last open and has ${size}: it was put back from an older copy, or entries were cut off.`;
  // An act, a seal: what is only done once the databases have been told of the sign-in.
  const later =
    db
      .prepare<[number], number>(
        `SELECT count(*) FROM entries WHERE idx >= ? AND json_extract(json, '$.phase') <> 'outcome'
           AND action NOT IN ('vault.sign-in-failed', 'vault.restore', 'vault.repair', 'vault.recover')`,
      )
      .pluck()
      .get(begun) ?? 0;
  if (later > 0 && sizes.some((seen) => seen < begun))
    return 'The catalog or the records are older than the log: a database was put back from an older copy.';
  return undefined;
}
