/**
 * The checker for what leaves the vault: proofs, checkpoints, exported logs. It needs no vault and no password, and it never
 * throws at hostile input: whatever is wrong is a failed check. Without a key given by the caller it uses the one in the file
 * and says so, because such a file proves that it is whole, not where it comes from.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { parseEntry } from './entry.ts';
import { exportNames } from './export.ts';
import {
  handOverAction,
  isSignedInTime,
  keysBeside,
  parseKeyHistory,
  type KeyHistory,
} from './key-history.ts';
import {
  createTreeBuilder,
  emptyRoot,
  leafHash,
  rootFromInclusionProof,
  sameHash,
  type Hash,
} from './merkle.ts';
import { isSignedBy, keyFingerprint, parseVerifierKey, type VerifierKey } from './note.ts';
import { parseBundle, tilePath, tilesOf, tileWidth } from './tiles.ts';
import { parseTlogProof } from './tlog-proof.ts';
import { signerCheck, verdictOf, type Check } from './verdict.ts';

const maxTileBytes = tileWidth * (65_535 + 2);
/** Some two million entries. */
const maxLinesBytes = 500_000_000;

/** What the caller brings along. */
export interface Trust {
  /** A verifier key that the caller trusts. */
  readonly pinned?: string | undefined;
  /** Key history of the log, beside the one that the file carries. */
  readonly keyHistory?: string | undefined;
}

export function verifyProof(text: string, trust: Trust = {}): FileVerdict {
  try {
    const proof = parseTlogProof(text);
    const key = parseVerifierKey(proof.verifierKey);
    const history = parseKeyHistory(proof.keyHistory ?? '', trust.keyHistory ?? '');
    const checkpoint = parseCheckpoint(proof.checkpoint);
    const root = rootFromInclusionProof({
      leaf: leafHash(Buffer.from(proof.entry)),
      index: proof.index,
      size: checkpoint.size,
      proof: proof.hashes,
    });
    const entry = parseEntry(proof.entry);
    const inside = root !== undefined && sameHash(root, checkpoint.root);
    return verdictOf('proof', [
      {
        name: 'entry',
        ok: entry?.index === proof.index,
        detail:
          entry === undefined
            ? 'The entry is not one that Strongroom wrote.'
            : `Entry ${entry.index}: ${entry.action} by ${entry.actor} at ${entry.time}.`,
      },
      {
        name: 'inclusion',
        ok: inside,
        detail: inside
          ? `The entry is number ${proof.index} of the ${checkpoint.size} under the checkpoint.`
          : 'The hashes do not lead from the entry to the root of the checkpoint.',
      },
      checkpointCheck(checkpoint, key, history),
      signerCheck(key, trust.pinned, history),
    ]);
  } catch (error) {
    return unreadable('proof', error);
  }
}

export function verifyCheckpoint(text: string, trust: Trust = {}): FileVerdict {
  const { pinned } = trust;
  try {
    const checkpoint = parseCheckpoint(text);
    const about: Check = {
      name: 'checkpoint',
      ok: true,
      detail: `${checkpoint.size} entries of ${checkpoint.origin}, root ${Buffer.from(checkpoint.root).toString('hex')}.`,
    };
    if (pinned === undefined) {
      return verdictOf('checkpoint', [
        about,
        {
          name: 'signature',
          ok: false,
          detail: 'A checkpoint does not carry its key: give the verifier key of the log.',
        },
      ]);
    }
    const history = parseKeyHistory(trust.keyHistory ?? '');
    const given = parseVerifierKey(pinned);
    // The note names no whole key: it is signed with the given one, or with one that the history leads to.
    const key =
      keysBeside(history, given).find((each) => isSignedBy(checkpoint.note, each)) ?? given;
    return verdictOf('checkpoint', [
      about,
      checkpointCheck(checkpoint, key, history),
      ...(key.text === given.text ? [] : [signerCheck(key, pinned, history)]),
    ]);
  } catch (error) {
    return unreadable('checkpoint', error);
  }
}

/** The chain of keys alone: which came after which, and where the given one stands in it. */
export function verifyKeyHistory(text: string, { pinned, keyHistory }: Trust = {}): FileVerdict {
  try {
    const history = parseKeyHistory(text, keyHistory ?? '');
    const newest = history.at(-1);
    const isOne = history.every(
      ({ previous }, at) => at === 0 || previous.text === history[at - 1]?.next.text,
    );
    return verdictOf('key-history', [
      {
        name: 'chain',
        ok: isOne,
        detail: isOne
          ? 'Each key was handed on by the one before it.'
          : 'These hand-overs do not belong together: a key was not handed on by the one before it. Trust none of them for that.',
      },
      ...history.map(({ index, previous, next }) => ({
        name: 'hand-over',
        ok: true,
        detail: `Entry ${index}: ${keyFingerprint(previous)} handed on to ${next.text}, fingerprint ${keyFingerprint(next)}. Both have signed it.`,
      })),
      ...(newest === undefined ? [] : [signerCheck(newest.next, pinned, history)]),
    ]);
  } catch (error) {
    return unreadable('key-history', error);
  }
}

export async function isExportedLog(dir: string): Promise<boolean> {
  return stat(join(dir, exportNames.checkpoint)).then(
    (found) => found.isFile(),
    () => false, // not there: something else
  );
}

/** Recomputes the tree of an exported log from its entries and compares every tile, line and signature. */
export async function verifyExport(
  dir: string,
  options: Trust & { readonly against?: readonly string[] } = {},
): Promise<FileVerdict> {
  try {
    const checkpoint = parseCheckpoint(await readBounded(join(dir, exportNames.checkpoint)));
    const key = parseVerifierKey(await readBounded(join(dir, exportNames.verifierKey)));
    const keyHistory = await readIfThere(join(dir, exportNames.keyHistory));
    const history = parseKeyHistory(keyHistory, options.keyHistory ?? '');
    const tree = await rebuild(dir, {
      checkpoint,
      key,
      handOvers: parseKeyHistory(keyHistory),
      history,
      against: options.against ?? [],
    });
    return verdictOf('log', [
      ...tree,
      checkpointCheck(checkpoint, key, history),
      signerCheck(key, options.pinned, history),
    ]);
  } catch (error) {
    return unreadable('log', error);
  }
}

async function rebuild(
  dir: string,
  expected: {
    readonly checkpoint: Checkpoint;
    readonly key: VerifierKey;
    /** Those of the exported log itself. */
    readonly handOvers: KeyHistory;
    readonly history: KeyHistory;
    readonly against: readonly string[];
  },
): Promise<Check[]> {
  const { checkpoint, key, handOvers, history, against } = expected;
  const tree = createTreeBuilder({ size: 0, source: () => emptyRoot });
  const kept = against.map(parseCheckpoint);
  const keptHolds = new Map<Checkpoint, boolean>();
  /** For each hand-over among the entries: whether the key history has it, under this very root. */
  const handedOn: boolean[] = [];
  const compare = (): void => {
    for (const other of kept)
      if (other.size === tree.size()) keptHolds.set(other, sameHash(other.root, tree.root()));
  };
  const hashes = new Map<string, Hash>();
  const damaged: string[] = [];
  const lines = await readLines(join(dir, exportNames.lines));
  // Before anything is made as large as the checkpoint says.
  if (lines.length !== checkpoint.size + 1)
    return [
      {
        name: 'entries',
        ok: false,
        detail: `There are ${Math.max(0, lines.length - 1)} entries, and the checkpoint is over ${checkpoint.size}.`,
      },
    ];
  compare();
  for (const tile of tilesOf(checkpoint.size)) {
    const path = tilePath(tile);
    const bytes = await readTile(join(dir, path));
    if (tile.level === 'entries') {
      const entries = bytes === undefined ? undefined : parseBundle(bytes);
      if (entries?.length !== tile.width) damaged.push(path);
      for (const entry of entries ?? []) {
        const parsed = parseEntry(Buffer.from(entry).toString('utf8'));
        if (
          parsed?.index !== tree.size() ||
          lines[tree.size()] !== Buffer.from(entry).toString('utf8')
        )
          damaged.push(path);
        for (const node of tree.add(leafHash(entry)))
          if (node.level % 8 === 0) hashes.set(`${node.level / 8}/${node.index}`, node.hash);
        if (parsed?.action === handOverAction) {
          const at = handOvers.find(({ index }) => index === parsed.index);
          handedOn.push(at !== undefined && sameHash(at.checkpoint.root, tree.root()));
        }
        compare();
      }
    } else {
      const expected = Buffer.concat(
        Array.from(
          { length: tile.width },
          (_, at) => hashes.get(`${tile.level}/${tile.index * tileWidth + at}`) ?? new Uint8Array(),
        ),
      );
      if (bytes === undefined || !expected.equals(bytes)) damaged.push(path);
    }
  }
  const whole = damaged.length === 0 && lines.at(-1) === '';
  const rooted = tree.size() === checkpoint.size && sameHash(tree.root(), checkpoint.root);
  const handed = handedOn.length === handOvers.length && handedOn.every(Boolean);
  return [
    {
      name: 'entries',
      ok: whole,
      detail: whole
        ? `All ${checkpoint.size} entries and tiles are whole.`
        : `Changed or missing: ${damaged[0] ?? exportNames.lines}.`,
    },
    {
      name: 'root',
      ok: rooted,
      detail: rooted
        ? 'The entries lead to the root of the checkpoint.'
        : 'The entries do not lead to the root of the checkpoint.',
    },
    ...(handed && handOvers.length === 0
      ? []
      : [
          {
            name: 'keys',
            ok: handed,
            detail: handed
              ? `The signing key was handed on ${handOvers.length === 1 ? 'once' : `${handOvers.length} times`}, as the entries say.`
              : 'The key history is not the one that the entries tell.',
          },
        ]),
    ...kept.map((other) => {
      const ok =
        keptHolds.get(other) === true &&
        keysBeside(history, key).some((each) => isSignedInTime(other, each, history));
      return {
        name: 'kept checkpoint',
        ok,
        detail: ok
          ? `The first ${other.size} entries are those of the kept checkpoint.`
          : 'The kept checkpoint is not of this history.',
      };
    }),
  ];
}

function checkpointCheck(checkpoint: Checkpoint, key: VerifierKey, history: KeyHistory): Check {
  const signed = checkpoint.origin === key.name && isSignedBy(checkpoint.note, key);
  const ok = signed && isSignedInTime(checkpoint, key, history);
  return {
    name: 'signature',
    ok,
    detail: ok
      ? `The checkpoint over ${checkpoint.size} entries is signed by ${key.name}.`
      : signed
        ? 'The checkpoint is signed with a key that was not in use at that length of the log.'
        : 'The checkpoint is not signed by the key, nor by one that a key history at hand leads to.',
  };
}

function unreadable(kind: FileVerdict['kind'], error: unknown): FileVerdict {
  const detail =
    error instanceof Error && !('code' in error && error.code === 'ENOENT')
      ? error.message
      : 'A file that belongs to it is missing.';
  return verdictOf(kind, [{ name: 'form', ok: false, detail }]);
}

async function readTile(path: string): Promise<Uint8Array | undefined> {
  // A missing tile is a failed check.
  return readWhole(path, maxTileBytes).catch(() => undefined);
}

async function readLines(path: string): Promise<string[]> {
  return (await readWhole(path, maxLinesBytes)).toString('utf8').split('\n');
}

async function readBounded(path: string): Promise<string> {
  return (await readWhole(path, 1_000_000)).toString('utf8');
}

async function readIfThere(path: string): Promise<string> {
  return readBounded(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

async function readWhole(path: string, maxBytes: number): Promise<Buffer> {
  const found = await stat(path);
  // A pipe or device in a folder from elsewhere could be read for ever.
  if (!found.isFile()) throw new Error('A file that belongs to it is something else.');
  if (found.size > maxBytes) throw new Error('A file is longer than it can be.');
  return readFile(path);
}
