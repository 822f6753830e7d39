/** The checker for an exported log, a folder: every tile and line, recomputed from the entries. It needs no vault, and never throws at hostile input. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { checkpointCheck, unreadable, type Trust } from './check-file.ts';
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
import { createTreeBuilder, emptyRoot, leafHash, sameHash, type Hash } from './merkle.ts';
import { parseVerifierKey, type VerifierKey } from './note.ts';
import { parseBundle, tilePath, tilesOf, tileWidth } from './tiles.ts';
import { signerCheck, verdictOf, type Check } from './verdict.ts';

const maxTileBytes = tileWidth * (65_535 + 2);
/** Some two million entries. */
const maxLinesBytes = 500_000_000;

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
