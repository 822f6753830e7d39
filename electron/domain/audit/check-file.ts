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
  createTreeBuilder,
  emptyRoot,
  leafHash,
  rootFromInclusionProof,
  sameHash,
  type Hash,
} from './merkle.ts';
import { isSignedBy, parseVerifierKey, type VerifierKey } from './note.ts';
import { parseBundle, tilePath, tilesOf, tileWidth } from './tiles.ts';
import { parseTlogProof } from './tlog-proof.ts';
import { signerCheck, verdictOf, type Check } from './verdict.ts';

const maxTileBytes = tileWidth * (65_535 + 2);
/** Some two million entries. */
const maxLinesBytes = 500_000_000;

/** `pinned`: a verifier key that the caller trusts. */
export function verifyProof(text: string, pinned?: string): FileVerdict {
  try {
    const proof = parseTlogProof(text);
    const { key, check } = chooseKey(proof.verifierKey, pinned);
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
      checkpointCheck(checkpoint, key),
      check,
    ]);
  } catch (error) {
    return unreadable('proof', error);
  }
}

export function verifyCheckpoint(text: string, pinned?: string): FileVerdict {
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
    return verdictOf('checkpoint', [about, checkpointCheck(checkpoint, parseVerifierKey(pinned))]);
  } catch (error) {
    return unreadable('checkpoint', error);
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
  options: { readonly pinned?: string | undefined; readonly against?: readonly string[] } = {},
): Promise<FileVerdict> {
  try {
    const checkpoint = parseCheckpoint(await readBounded(join(dir, exportNames.checkpoint)));
    const { key, check } = chooseKey(
      await readBounded(join(dir, exportNames.verifierKey)),
      options.pinned,
    );
    const tree = await rebuild(dir, { checkpoint, key, against: options.against ?? [] });
    return verdictOf('log', [...tree, checkpointCheck(checkpoint, key), check]);
  } catch (error) {
    return unreadable('log', error);
  }
}

async function rebuild(
  dir: string,
  expected: {
    readonly checkpoint: Checkpoint;
    readonly key: VerifierKey;
    readonly against: readonly string[];
  },
): Promise<Check[]> {
  const { checkpoint, key, against } = expected;
  const tree = createTreeBuilder({ size: 0, source: () => emptyRoot });
  const kept = against.map(parseCheckpoint);
  const keptHolds = new Map<Checkpoint, boolean>();
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
    ...kept.map((other) => {
      const ok =
        keptHolds.get(other) === true && other.origin === key.name && isSignedBy(other.note, key);
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

function chooseKey(
  embedded: string,
  pinned: string | undefined,
): { readonly key: VerifierKey; readonly check: Check } {
  const own = parseVerifierKey(embedded);
  if (pinned === undefined) return { key: own, check: signerCheck(own, 'embedded') };
  const key = parseVerifierKey(pinned);
  const other = 'The file names another key than the given one.';
  return {
    key,
    check:
      key.text === own.text
        ? signerCheck(key, 'given')
        : { name: 'signer', ok: false, detail: other },
  };
}

function checkpointCheck(checkpoint: Checkpoint, key: VerifierKey): Check {
  const ok = checkpoint.origin === key.name && isSignedBy(checkpoint.note, key);
  return {
    name: 'signature',
    ok,
    detail: ok
      ? `The checkpoint over ${checkpoint.size} entries is signed by ${key.name}.`
      : 'The checkpoint is not signed by the key.',
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

async function readWhole(path: string, maxBytes: number): Promise<Buffer> {
  const found = await stat(path);
  // A pipe or device in a folder from elsewhere could be read for ever.
  if (!found.isFile()) throw new Error('A file that belongs to it is something else.');
  if (found.size > maxBytes) throw new Error('A file is longer than it can be.');
  return readFile(path);
}
