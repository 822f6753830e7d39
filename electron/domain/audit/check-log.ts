/**
 * Checks a whole `audit.db` from its entries up, trusting no stored hash. What it cannot see alone is the end cut off
 * (checkpoints included) or a history written anew with the stolen key: for that it takes checkpoints that were kept
 * elsewhere (`against`). It shares formats with the writer and no code that writes.
 */
import { setImmediate } from 'node:timers/promises';
import type { LogEntry, VerifyStatus } from '#shared/contract/audit.ts';
import { schemaOf, schemaOfSteps, type Database } from '#platform/database.ts';
import { plural } from '#platform/plural.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { parseEntry } from './entry.ts';
import { handOverAction, keysOf } from './key-history.ts';
import { memoryProblem } from './list.ts';
import { createTreeBuilder, emptyRoot, leafHash, sameHash, type Hash } from './merkle.ts';
import { createNoteSigner, isSignedBy, parseVerifierKey, type VerifierKey } from './note.ts';
import { auditSchema } from './schema.ts';
import { logSize } from './stored-tree.ts';

const pageRows = 1000;

/** The answer "no", with the first entry that shows it. */
class Broken extends Error {
  readonly at: number | null;
  constructor(at: number | null, message: string) {
    super(message);
    this.at = at;
  }
}

export async function verifyLog(
  db: Database,
  options: {
    /** Texts of checkpoints kept outside the vault. */
    readonly against?: readonly string[];
    /** What the other databases remember of its length. */
    readonly sizes?: readonly number[];
    readonly onProgress?: (done: number, total: number) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<VerifyStatus> {
  const against = options.against ?? [];
  const size = db.prepare<[], number>('SELECT count(*) FROM entries').pluck().get() ?? 0;
  const tree = createTreeBuilder({ size: 0, source: () => emptyRoot });
  const rootHex = (): string => Buffer.from(tree.root()).toString('hex');
  try {
    checkSchema(db);
    const key = readKey(db);
    const kept = against.map((text) => readKept(text, key));
    const { hashes, lastKey } = await checkEntries({
      db,
      firstKey: firstKey(db, key),
      kept,
      size,
      tree,
      options,
    });
    if (lastKey.text !== key.text && logSize(db) === size) throw otherKeys();
    checkEnd({ db, kept, size, hashes, lastKey, sizes: options.sizes ?? [] });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return {
      status: 'broken',
      size,
      root: rootHex(),
      firstBroken: error.at,
      message: error.message,
    };
  }
  const compared =
    against.length === 0 ? '' : `, and with ${plural(against.length, 'checkpoint')} kept elsewhere`;
  return {
    status: 'intact',
    size,
    root: rootHex(),
    message: `All ${size} entries, their hashes and checkpoints agree${compared}.`,
  };
}

/**
 * Walks the entries as they stood at the start; the log may grow meanwhile. Returns how many hashes belong to them, and the key that
 * signs after them.
 */
async function checkEntries(context: {
  readonly db: Database;
  readonly firstKey: VerifierKey;
  readonly kept: readonly Checkpoint[];
  readonly size: number;
  readonly tree: ReturnType<typeof createTreeBuilder>;
  readonly options: NonNullable<Parameters<typeof verifyLog>[1]>;
}): Promise<{ readonly hashes: number; readonly lastKey: VerifierKey }> {
  const { db, firstKey, kept, size, tree, options } = context;
  const page = db.prepare<[number, number], { idx: number; json: string }>(
    'SELECT idx, json FROM entries WHERE idx >= ? ORDER BY idx LIMIT ?',
  );
  const hashAt = db
    .prepare<[number, number], Hash>('SELECT hash FROM hashes WHERE level = ? AND idx = ?')
    .pluck();
  const noteAt = db
    .prepare<[number], string>('SELECT note FROM checkpoints WHERE size = ?')
    .pluck();
  let key = firstKey;
  /** Two keys sign where one hands on to the next. */
  const checkRoots = (...keys: readonly VerifierKey[]): void => {
    checkOwn(noteAt.get(tree.size()), { keys, size: tree.size(), root: tree.root() });
    for (const checkpoint of kept) {
      if (checkpoint.size !== tree.size()) continue;
      checkKept(checkpoint, keys);
      if (!sameHash(checkpoint.root, tree.root())) {
        throw new Broken(
          null,
          `The first ${checkpoint.size} entries are not those that the kept checkpoint was made of: the history was rewritten.`,
        );
      }
    }
  };
  const begun = new Map<number, LogEntry['action']>();
  let lastTime = '';
  let hashes = 0;
  checkRoots(key);
  while (tree.size() < size) {
    options.signal?.throwIfAborted();
    const first = tree.size();
    const rows = page.all(first, Math.min(pageRows, size - first));
    if (rows.length === 0) throw new Broken(first, `Entry ${first} is missing.`);
    for (const { idx, json } of rows) {
      const expected = tree.size();
      if (idx !== expected) throw new Broken(expected, `Entry ${expected} is missing.`);
      const entry = parseEntry(json);
      if (entry === undefined)
        throw new Broken(idx, `Entry ${idx} is not one that Strongroom wrote.`);
      for (const node of tree.add(leafHash(Buffer.from(json)))) {
        const stored = hashAt.get(node.level, node.index);
        if (stored === undefined || !sameHash(stored, node.hash)) {
          throw new Broken(
            idx,
            `Entry ${idx} was changed after it was written: its hash does not match.`,
          );
        }
        hashes += 1;
      }
      checkOrder(entry, { idx, lastTime, begun });
      lastTime = entry.time;
      const next = nextKey(entry, key);
      if (next === undefined) checkRoots(key);
      else {
        checkRoots(key, next);
        key = next;
      }
    }
    options.onProgress?.(tree.size(), size);
    await setImmediate();
  }
  return { hashes, lastKey: key };
}

/** The key that an entry hands on to, which only the key of the log until then can do; undefined for any other entry. */
function nextKey(entry: LogEntry, key: VerifierKey): VerifierKey | undefined {
  if (entry.action !== handOverAction) return undefined;
  const keys = keysOf(entry);
  if (keys?.previous.text !== key.text || keys.next.name !== key.name)
    throw new Broken(
      entry.index,
      `Entry ${entry.index} hands on a signing key that was not the one of the log.`,
    );
  return keys.next;
}

/** What one entry says of itself and of the others. */
function checkOrder(
  entry: LogEntry,
  seen: {
    readonly idx: number;
    readonly lastTime: string;
    readonly begun: Map<number, LogEntry['action']>;
  },
): void {
  const { idx, begun } = seen;
  if (entry.index !== idx) throw new Broken(idx, `Entry ${idx} stands in the wrong place.`);
  if (entry.time < seen.lastTime !== (entry.clock === 'backwards')) {
    throw new Broken(idx, `The time of entry ${idx} does not follow the entry before.`);
  }
  if (entry.phase === 'begin') begun.set(idx, entry.action);
  if (entry.phase !== 'outcome') return;
  if (entry.of === undefined || begun.get(entry.of) !== entry.action) {
    throw new Broken(idx, `Entry ${idx} is the outcome of an act that was not announced.`);
  }
  begun.delete(entry.of);
}

function checkEnd(context: {
  readonly db: Database;
  readonly kept: readonly Checkpoint[];
  readonly size: number;
  readonly hashes: number;
  readonly lastKey: VerifierKey;
  readonly sizes: readonly number[];
}): void {
  const { db, size } = context;
  const problem = context.sizes.length === 0 ? undefined : memoryProblem(db, size, context.sizes);
  if (problem !== undefined) throw new Broken(size, problem);
  const longest = Math.max(-1, ...context.kept.map((checkpoint) => checkpoint.size));
  if (longest > size) {
    for (const checkpoint of context.kept)
      if (checkpoint.size > size) checkKept(checkpoint, [context.lastKey]);
    throw new Broken(
      size,
      `The kept checkpoint covers ${longest} entries and the log has ${size}: entries were cut off, or the vault is an older copy.`,
    );
  }
  const count = (sql: string): number => db.prepare<[], number>(sql).pluck().get() ?? 0;
  const end = count('SELECT coalesce(max(idx) + 1, 0) FROM entries');
  const newest = count('SELECT coalesce(max(size), -1) FROM checkpoints');
  if (newest > end)
    throw new Broken(
      end,
      `A checkpoint covers ${newest} entries and the log has ${end}: entries were cut off.`,
    );
  if (end === size && count('SELECT count(*) FROM hashes') !== context.hashes) {
    throw new Broken(null, 'The table of hashes has rows that no entry accounts for.');
  }
  if (count('SELECT count(*) FROM checkpoints') !== end + 1) {
    throw new Broken(null, 'The table of checkpoints has rows that no entry accounts for.');
  }
}

function checkOwn(
  note: string | undefined,
  expected: { readonly keys: readonly VerifierKey[]; readonly size: number; readonly root: Hash },
): void {
  const { keys, size } = expected;
  if (note === undefined)
    throw new Broken(
      Math.max(0, size - 1),
      `The signed checkpoint over the first ${size} entries is missing.`,
    );
  const checkpoint = tryParse(note);
  const fits =
    checkpoint?.origin === keys[0]?.name &&
    checkpoint?.size === size &&
    sameHash(checkpoint.root, expected.root);
  if (!fits || !keys.every((key) => isSignedBy(checkpoint.note, key))) {
    throw new Broken(
      Math.max(0, size - 1),
      `The checkpoint over the first ${size} entries does not fit them, or the log's key did not sign it.`,
    );
  }
}

/** The key that the log names as its own, which must be the public half of the one that it signs with. */
function readKey(db: Database): VerifierKey {
  try {
    const rows = db
      .prepare<[], { origin: string; private_key: Uint8Array; verifier_key: string }>(
        'SELECT origin, private_key, verifier_key FROM meta',
      )
      .all();
    const [row] = rows;
    if (row !== undefined && rows.length === 1) {
      const key = parseVerifierKey(row.verifier_key);
      const own = createNoteSigner(row.origin, row.private_key).verifierKey;
      if (own.text === key.text) return key;
    }
  } catch {
    // A column that cannot be parsed is told below like one that does not fit.
  }
  throw otherKeys();
}

function otherKeys(): Broken {
  return new Broken(null, "The log's own keys are missing, or do not belong to each other.");
}

/** What the log was signed with at its beginning: the key that the first hand-over names, or the one that it has. */
function firstKey(db: Database, key: VerifierKey): VerifierKey {
  const text = db
    .prepare<[string], string>('SELECT json FROM entries WHERE action = ? ORDER BY idx LIMIT 1')
    .pluck()
    .get(handOverAction);
  const entry = text === undefined ? undefined : parseEntry(text);
  return (entry === undefined ? undefined : keysOf(entry)?.previous) ?? key;
}

/** Tables, indexes and triggers as the writer makes them, and no others: a trigger could rewrite what is to come. */
function checkSchema(db: Database): void {
  if (schemaOf(db) !== schemaOfSteps(auditSchema))
    throw new Broken(null, 'The tables of the log are not those that Strongroom makes.');
}

function readKept(text: string, key: VerifierKey): Checkpoint {
  const checkpoint = tryParse(text);
  if (checkpoint === undefined)
    throw new Broken(null, 'A file to compare with is not a checkpoint.');
  if (checkpoint.origin !== key.name)
    throw new Broken(null, 'The kept checkpoint belongs to the log of another vault.');
  return checkpoint;
}

/** `keys`: those that signed at that length. */
function checkKept({ note }: Checkpoint, keys: readonly VerifierKey[]): void {
  if (!keys.some((key) => isSignedBy(note, key)))
    throw new Broken(
      null,
      "The kept checkpoint is not signed by this log's key: the key was exchanged, the checkpoint is a forgery, or the log is an older copy from before its key was rotated.",
    );
}

function tryParse(text: string): Checkpoint | undefined {
  try {
    return parseCheckpoint(text);
  } catch {
    return undefined; // reported by the caller, with the place
  }
}
