/**
 * How the signing key of a log was handed on. A hand-over is an entry that names the key before and the key after, with the proof
 * that it is the last one under a checkpoint which both keys have signed. So whoever trusts one of the keys can follow the others
 * in both directions, and nobody without the older key can make a newer one. Go's and TUF's way, with the log's own proofs.
 */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import type { Database } from '#platform/database.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { parseEntry } from './entry.ts';
import { inclusionProof, leafHash, rootFromInclusionProof, sameHash } from './merkle.ts';
import { isSignedBy, parseVerifierKey, type VerifierKey } from './note.ts';
import { hashSource } from './stored-tree.ts';
import { parseTlogProof, splitProofs, tlogProofToText } from './tlog-proof.ts';

export const handOverAction = 'audit.key-rotate';
const header = 'strongroom.invalid/key-history@v1\n';
const maxBytes = 16_000_000;

export interface HandOver {
  /** Of the entry; the checkpoint over the `index + 1` entries up to it has both signatures. */
  readonly index: number;
  readonly previous: VerifierKey;
  readonly next: VerifierKey;
  readonly checkpoint: Checkpoint;
  /** The entry's exact bytes, as text. */
  readonly entry: string;
}

/** By index; each holds by itself, and no key is handed on twice. */
export type KeyHistory = readonly HandOver[];

const details = z.strictObject({ previousKey: z.string(), verifierKey: z.string() });

/** The keys that an entry names; undefined when it is no hand-over. Whether the keys agree with it is not asked here. */
export function keysOf(entry: LogEntry): Pick<HandOver, 'previous' | 'next'> | undefined {
  const parsed = details.safeParse(entry.details);
  if (entry.action !== handOverAction || entry.phase !== 'event' || !parsed.success)
    return undefined;
  try {
    const previous = parseVerifierKey(parsed.data.previousKey);
    const next = parseVerifierKey(parsed.data.verifierKey);
    return previous.name === next.name && previous.text !== next.text
      ? { previous, next }
      : undefined;
  } catch {
    return undefined; // the answer
  }
}

/** As text, to go with what leaves the vault; empty while the log has its first key. Throws `tampered` for a damaged log. */
export function keyHistoryToText(db: Database): string {
  const entries = db
    .prepare<[string], { idx: number; json: string }>(
      'SELECT idx, json FROM entries WHERE action = ? ORDER BY idx',
    )
    .all(handOverAction);
  if (entries.length === 0) return '';
  const hashes = hashSource(db);
  const noteAt = db
    .prepare<[number], string>('SELECT note FROM checkpoints WHERE size = ?')
    .pluck();
  const proofs = entries.map(({ idx, json }) => {
    const entry = parseEntry(json);
    return tlogProofToText({
      index: idx,
      hashes: inclusionProof(idx, idx + 1, hashes),
      checkpoint: noteAt.get(idx + 1) ?? '',
      entry: json,
      verifierKey: (entry === undefined ? undefined : keysOf(entry))?.next.text ?? '',
    });
  });
  return `${header}${proofs.join('')}`;
}

export function isKeyHistory(text: string): boolean {
  return text.startsWith(header);
}

/** Of all these texts together; empty ones count for nothing. Throws `corrupt` or `tampered` for what does not hold. */
export function parseKeyHistory(...texts: readonly string[]): KeyHistory {
  // One hand-over may come with more or other signatures, of a witness say: the same keys over the same log are the same.
  const known = new Map<string, HandOver>();
  for (const text of texts) {
    if (text === '') continue;
    if (!isKeyHistory(text) || text.length > maxBytes) throw malformed();
    for (const proof of splitProofs(text.slice(header.length))) {
      const found = parseHandOver(proof);
      const id = [
        found.entry,
        found.checkpoint.origin,
        Buffer.from(found.checkpoint.root).toString('hex'),
      ].join('\n');
      known.set(id, known.get(id) ?? found);
    }
  }
  const history = [...known.values()].toSorted((a, b) => a.index - b.index);
  requireOneLine(history);
  return history;
}

function parseHandOver(text: string): HandOver {
  const proof = parseTlogProof(text);
  const checkpoint = parseCheckpoint(proof.checkpoint);
  const entry = parseEntry(proof.entry);
  const keys = entry === undefined ? undefined : keysOf(entry);
  const root = rootFromInclusionProof({
    leaf: leafHash(Buffer.from(proof.entry)),
    index: proof.index,
    size: checkpoint.size,
    proof: proof.hashes,
  });
  const holds =
    keys !== undefined &&
    entry?.index === proof.index &&
    checkpoint.size === proof.index + 1 &&
    checkpoint.origin === keys.next.name &&
    proof.verifierKey === keys.next.text &&
    proof.keyHistory === undefined &&
    root !== undefined &&
    sameHash(root, checkpoint.root) &&
    isSignedBy(checkpoint.note, keys.previous) &&
    isSignedBy(checkpoint.note, keys.next);
  if (!holds)
    throw new AppError(
      'tampered',
      'A hand-over of the signing key does not hold: it must be proved, and signed by the key before and the key after.',
    );
  return { index: proof.index, ...keys, checkpoint, entry: proof.entry };
}

/** A key that was handed on to two others has been stolen, or the vault was copied and went on twice. */
function requireOneLine(history: KeyHistory): void {
  const given = new Map<string, HandOver>();
  const taken = new Map<string, HandOver>();
  for (const handOver of history) {
    const before = taken.get(handOver.previous.text);
    const isForked =
      given.has(handOver.previous.text) ||
      taken.has(handOver.next.text) ||
      given.has(handOver.next.text) ||
      (before !== undefined && before.index >= handOver.index);
    if (isForked)
      throw new AppError(
        'tampered',
        'A signing key was handed on twice: these are two histories of one log.',
      );
    given.set(handOver.previous.text, handOver);
    taken.set(handOver.next.text, handOver);
  }
}

/** The hand-overs from one key to another, none when they are the same key; undefined when they do not lead there. */
export function pathBetween(
  history: KeyHistory,
  from: VerifierKey,
  to: VerifierKey,
): KeyHistory | undefined {
  const path: HandOver[] = [];
  let key = from;
  for (;;) {
    if (key.text === to.text) return path;
    const step = history.find(({ previous }) => previous.text === key.text);
    if (step === undefined) return undefined;
    path.push(step);
    key = step.next;
  }
}

/**
 * Whether the checkpoint is signed by this key, and covers a length at which the key was in use: a key that was handed on signs
 * nothing longer any more, whoever may have got hold of it since.
 */
export function isSignedInTime(
  { origin, size, root, note }: Checkpoint,
  key: VerifierKey,
  history: KeyHistory,
): boolean {
  const begin = history.find(({ next }) => next.text === key.text);
  const end = history.find(({ previous }) => previous.text === key.text);
  return (
    origin === key.name &&
    size >= (begin === undefined ? 0 : begin.index + 1) &&
    (end === undefined ||
      size <= end.index ||
      (size === end.index + 1 && sameHash(root, end.checkpoint.root))) &&
    isSignedBy(note, key)
  );
}

/** `key` and all that it follows or that follow it, oldest first. */
export function keysBeside(history: KeyHistory, key: VerifierKey): VerifierKey[] {
  const keys = [key];
  for (const { previous, next } of history.toReversed())
    if (keys[0]?.text === next.text) keys.unshift(previous);
  for (const { previous, next } of history)
    if (keys.at(-1)?.text === previous.text) keys.push(next);
  return keys;
}

function malformed(): AppError {
  return new AppError('corrupt', 'This is not a key history that Strongroom wrote.');
}
