/**
 * The writer. An append is one transaction: the entry, the hashes of the subtrees it completes, and a checkpoint signed
 * over the new tree. When `append` has returned, all of it is on the medium; when it throws, none of it is.
 *
 * A log whose tree does not fit its newest checkpoint was changed by somebody else. Nothing is signed on top of it: it opens
 * for reading and for `verifyLog` alone, and every append is refused as `tampered`.
 */
import { AppError } from '#shared/errors.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import type { Clock } from '#platform/clock.ts';
import { schemaOf, schemaOfSteps, type Database } from '#platform/database.ts';
import { step } from '#platform/steps.ts';
import { parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { entryToText } from './entry.ts';
import { handOverAction, keyHistoryToText } from './key-history.ts';
import {
  allTexts,
  listEntries,
  memoryProblem,
  unfinishedActs,
  type ListedEntry,
  type LogFilter,
} from './list.ts';
import { createTreeBuilder, inclusionProof, leafHash, sameHash } from './merkle.ts';
import {
  createNoteSigner,
  generateNoteKey,
  isSignedBy,
  type NoteAlgorithm,
  type NoteSigner,
} from './note.ts';
import { auditSchema } from './schema.ts';
import { hashSource, logSize } from './stored-tree.ts';
import { tlogProofToText } from './tlog-proof.ts';

/** What the writer is told; index, time, host and clock are its own. */
export type NewEntry = Omit<LogEntry, 'v' | 'index' | 'time' | 'host' | 'clock'>;

export interface LogHead {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** The signed checkpoint, as text. */
  readonly checkpoint: string;
  readonly verifierKey: string;
}

export interface AuditLog {
  /** The log was changed by something other than Strongroom, and takes no entry any more. */
  readonly damaged: boolean;
  /** A verification found it broken: from now on it takes no entry. */
  distrust(): void;
  /** Until it is released it takes no entry, and says this. */
  hold(refusal: AppError): void;
  release(): void;
  append(entry: NewEntry): LogEntry;
  /** Several entries in one transaction: all of them are on the medium, each with its checkpoint, or none is. */
  appendAll(entries: readonly NewEntry[]): LogEntry[];
  head(): LogHead;
  entry(index: number): LogEntry;
  /** Newest first; `total` counts what the filter leaves, whatever the page. */
  list(filter: LogFilter): { readonly entries: ListedEntry[]; readonly total: number };
  /** Announced since the last sign-in and without an outcome: a killed program left them. */
  unfinished(): LogEntry[];
  /** All entries, oldest first, as their exact text. */
  texts(): IterableIterator<string>;
  /** A tlog-proof against the newest checkpoint; `alone` with the key history inside, for a file that nothing stands beside. */
  prove(
    index: number,
    how?: 'alone' | 'attached',
  ): { readonly text: string; readonly size: number };
  /** Signs with the key of the checkpoints. */
  sign(message: Uint8Array): Uint8Array;
  /** How that key follows from those before it, as text; empty while it is the first. */
  keyHistory(): string;
  /** A new signing key, which the old one vouches for, in one transaction with the entry that says so; the old one is gone. */
  handOver(by: Pick<NewEntry, 'actor' | 'role' | 'session' | 'reason'>): LogEntry;
}

interface LogDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly host: string;
  readonly vaultId: string;
  /** What a new key is made for; a log that exists keeps the one it has until it is handed on. */
  readonly algorithm: NoteAlgorithm;
  readonly memory: LogMemory;
}

/** What the other databases of the vault remember of the log. */
export interface LogMemory {
  /** Its length when each of them was last told. */
  readonly sizes: readonly number[];
  /** The last verification found it broken. */
  readonly broken: boolean;
}

export function openLog(deps: LogDeps): AuditLog {
  try {
    return openWhole(deps);
  } catch (error) {
    // A full or read-only disk says nothing of the log; everything else that stops it from opening does.
    if (/^SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN)/.test(codeOf(error))) throw error;
    return openDamaged(deps.db);
  }
}

function openWhole(deps: LogDeps): AuditLog {
  const { db, clock } = deps;
  const { origin, privateKey } = readOrCreateKey(deps);
  let signer = createNoteSigner(origin, privateKey);
  const source = hashSource(db);
  const insertEntry = db.prepare('INSERT INTO entries (idx, json) VALUES (?, ?)');
  const insertHash = db.prepare('INSERT INTO hashes (level, idx, hash) VALUES (?, ?, ?)');
  const insertCheckpoint = db.prepare('INSERT INTO checkpoints (size, note) VALUES (?, ?)');
  const noteOf = db
    .prepare<[number], string>('SELECT note FROM checkpoints WHERE size = ?')
    .pluck();
  const textAt = db.prepare<[number], string>('SELECT json FROM entries WHERE idx = ?').pluck();

  let tree = createTreeBuilder({ size: logSize(db), source });
  let lastTime = tree.size() === 0 ? '' : entryAt(tree.size() - 1).time;
  if (tree.size() === 0 && isEmpty(db)) {
    db.transaction(() => putCheckpoint())();
    step('log: first checkpoint');
  }
  requireHead(head());
  if (schemaOf(db) !== schemaOfSteps(auditSchema)) throw changedElsewhere();
  if (deps.memory.broken || memoryProblem(db, tree.size(), deps.memory.sizes) !== undefined)
    throw changedElsewhere();
  let distrusted = false;
  let held: AppError | undefined;

  function entryAt(index: number): LogEntry {
    const text = textAt.get(index);
    if (text === undefined) throw new AppError('not-found', `The log has no entry ${index}.`);
    return JSON.parse(text) as LogEntry;
  }

  function putCheckpoint(...others: readonly NoteSigner[]): void {
    insertCheckpoint.run(
      tree.size(),
      signCheckpoint({ size: tree.size(), root: tree.root() }, signer, ...others),
    );
  }

  function head(): LogHead {
    const size = tree.size();
    const checkpoint = noteOf.get(size);
    if (checkpoint === undefined)
      throw new AppError('tampered', 'The newest checkpoint of the log is missing.');
    return {
      size,
      root: Buffer.from(tree.root()).toString('hex'),
      checkpoint,
      verifierKey: signer.verifierKey.text,
    };
  }

  function requireHead({ checkpoint }: LogHead): void {
    const { origin: named, size, root, note } = parseCheckpoint(checkpoint);
    const newest = db.prepare<[], number>('SELECT max(size) FROM checkpoints').pluck().get();
    const fits = named === origin && size === newest && sameHash(root, tree.root());
    if (!fits || !isSignedBy(note, signer.verifierKey)) throw changedElsewhere();
  }

  /** `inOne`: what else belongs to the transaction after each entry; it writes the checkpoint. */
  function write(entries: readonly NewEntry[], inOne: () => void): LogEntry[] {
    if (distrusted) throw changedElsewhere();
    if (held !== undefined) throw held;
    const time = clock().toISOString();
    const texts = entries.map((entry, at) =>
      entryToText({
        v: 1,
        index: tree.size() + at,
        time,
        host: deps.host,
        ...entry,
        ...(at === 0 && time < lastTime ? { clock: 'backwards' as const } : {}),
      }),
    );
    try {
      db.transaction(() => {
        for (const text of texts) {
          // A trigger that nobody of us made could let it vanish.
          if (insertEntry.run(tree.size(), text).changes !== 1) throw changedElsewhere();
          for (const node of tree.add(leafHash(Buffer.from(text))))
            insertHash.run(node.level, node.index, node.hash);
          inOne();
        }
      })();
    } catch (error) {
      // The transaction is gone; what is in memory must go back to what is on the medium.
      tree = createTreeBuilder({ size: logSize(db), source });
      throw error;
    }
    for (const { phase, action } of entries) step(`log: ${phase} of ${action}`);
    lastTime = time;
    return texts.map((text) => JSON.parse(text) as LogEntry);
  }

  function writeOne(entry: NewEntry, inOne: () => void): LogEntry {
    const [written] = write([entry], inOne);
    if (written === undefined) throw new Error('One entry was written.');
    return written;
  }

  return {
    get damaged() {
      return distrusted;
    },
    distrust() {
      distrusted = true;
    },
    hold(refusal) {
      held = refusal;
    },
    release() {
      held = undefined;
    },

    append: (entry) => writeOne(entry, putCheckpoint),
    appendAll: (entries) => write(entries, putCheckpoint),

    head,
    entry: entryAt,

    list: (filter) => listEntries(db, filter),
    unfinished: () => unfinishedActs(db),
    texts: () => allTexts(db),

    prove(index, how = 'alone') {
      const entry = textAt.get(index);
      if (entry === undefined) throw new AppError('not-found', `The log has no entry ${index}.`);
      const { checkpoint, size, verifierKey } = head();
      const keyHistory = how === 'attached' ? '' : keyHistoryToText(db);
      return {
        text: tlogProofToText({
          index,
          hashes: inclusionProof(index, size, source),
          checkpoint,
          entry,
          verifierKey,
          ...(keyHistory === '' ? {} : { keyHistory }),
        }),
        size,
      };
    },

    sign: (message) => signer.sign(message),
    keyHistory: () => keyHistoryToText(db),

    handOver(by) {
      const made = generateNoteKey(origin, deps.algorithm);
      const next = createNoteSigner(origin, made.privateKey);
      const keys = {
        previousKey: signer.verifierKey.text,
        verifierKey: made.verifierKey.text,
      };
      const entry = writeOne(
        {
          ...by,
          phase: 'event',
          action: handOverAction,
          objects: [],
          outcome: 'ok',
          details: keys,
        },
        () => {
          putCheckpoint(next);
          db.prepare('UPDATE meta SET private_key = ?, verifier_key = ?').run(
            made.privateKey,
            keys.verifierKey,
          );
        },
      );
      signer = next;
      return entry;
    },
  };
}

/** For a log that takes no entry: what can still be read is read, and the rest says why not. */
function openDamaged(db: Database): AuditLog {
  const refuse = (): never => {
    throw changedElsewhere();
  };
  return {
    damaged: true,
    distrust: () => undefined,
    hold: () => undefined,
    release: () => undefined,
    append: refuse,
    appendAll: refuse,
    head: refuse,
    entry: refuse,
    prove: refuse,
    sign: refuse,
    keyHistory: refuse,
    handOver: refuse,
    list(filter) {
      try {
        return listEntries(db, filter);
      } catch {
        return refuse();
      }
    },
    unfinished: refuse,
    texts: refuse,
  };
}

function changedElsewhere(): AppError {
  return new AppError(
    'tampered',
    'The log was changed by something other than Strongroom, and takes no entry any more. Verify the log to see where, and compare with a copy of the vault.',
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isEmpty(db: Database): boolean {
  const rows = 'SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM checkpoints)';
  return db.prepare<[], number>(rows).pluck().get() === 0;
}

function readOrCreateKey({ db, vaultId, algorithm }: LogDeps): {
  readonly origin: string;
  readonly privateKey: Uint8Array;
} {
  const row = db
    .prepare<[], { origin: string; private_key: Uint8Array }>(
      'SELECT origin, private_key FROM meta',
    )
    .get();
  if (row !== undefined) return { origin: row.origin, privateKey: row.private_key };
  // Only a log that never had an entry may get a key: another key is another log.
  if (!isEmpty(db)) throw changedElsewhere();
  const origin = `strongroom.invalid/${vaultId}`;
  const { privateKey, verifierKey } = generateNoteKey(origin, algorithm);
  db.prepare('INSERT INTO meta (only, origin, private_key, verifier_key) VALUES (0, ?, ?, ?)').run(
    origin,
    privateKey,
    verifierKey.text,
  );
  step('log: key made');
  return { origin, privateKey };
}
