/**
 * Digests that the one pass over a bundle does not make: BLAKE2b, BLAKE3 and those of shards. Only a signature says that they
 * are needed, and it may be the last file of an archive, so they are made in a second reading. The second reading counts
 * only where its SHA-256 is that of the first: what is compared is what was stored.
 */
import { createHash } from 'node:crypto';
import { blake3 } from '@noble/hashes/blake3.js';
import { GateBreach } from '../containers/breach.ts';
import { furtherHashings, isSignatureFile, type PresentFiles } from './check.ts';
import { hashingKey, type Hashing } from './statement.ts';

interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

interface Hash {
  update(chunk: Uint8Array): unknown;
  hex(): string;
}

interface FurtherDigests {
  readonly path: string;
  readonly sha256: string;
  readonly byHashing: ReadonlyMap<string, readonly string[]>;
}

type Files = AsyncIterable<{
  readonly path: string;
  readonly content: AsyncIterable<Uint8Array>;
}>;

export async function presentFiles(
  files: readonly {
    readonly path: string;
    readonly sha256: string;
    readonly text: Uint8Array | undefined;
  }[],
  options: ReadOptions & {
    /** Hands the files of the bundle to `read` once more, and gives paths as those of the first reading. */
    readonly reread: (
      read: (files: Files) => Promise<FurtherDigests[]>,
    ) => Promise<readonly FurtherDigests[]>;
  },
): Promise<PresentFiles> {
  const sha256ByPath = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const further = furtherHashings(
    files.filter(({ path }) => isSignatureFile(path)).map(({ text }) => text),
  );
  const digests =
    further.hashings.length === 0
      ? []
      : await options
          .reread((again) => readFurtherDigests(again, { ...options, ...further }))
          .catch((error: unknown) => {
            throw error instanceof GateBreach ? otherBytes(error.path, error) : error;
          });
  requireSameBytes(sha256ByPath, digests);
  const furtherByPath = new Map(digests.map(({ path, byHashing }) => [path, byHashing]));
  return {
    paths: [...sha256ByPath.keys()],
    digests(path, hashing) {
      const sha256 = sha256ByPath.get(path);
      if (hashing.algorithm === 'sha256' && hashing.shardBytes === undefined)
        return sha256 === undefined ? undefined : [sha256];
      return furtherByPath.get(path)?.get(hashingKey(hashing));
    },
  };
}

async function readFurtherDigests(
  files: Files,
  options: ReadOptions & {
    readonly hashings: readonly Hashing[];
    /** No signature lists more shards than this of one file; beyond it they are not kept. */
    readonly shards: number;
  },
): Promise<FurtherDigests[]> {
  const all: FurtherDigests[] = [];
  for await (const { path, content } of files) {
    const whole = createHash('sha256');
    const further = options.hashings.map((hashing) => createShardHash(hashing, options.shards));
    for await (const chunk of content) {
      options.signal?.throwIfAborted();
      whole.update(chunk);
      for (const hash of further) hash.update(chunk);
      options.onBytes?.(chunk.length);
    }
    all.push({
      path,
      sha256: whole.digest('hex'),
      byHashing: new Map(further.map((hash) => [hash.key, hash.end()])),
    });
  }
  return all;
}

/** A breach when the medium gave other bytes the second time. */
function requireSameBytes(
  first: ReadonlyMap<string, string>,
  second: readonly FurtherDigests[],
): void {
  const other = second.find(({ path, sha256 }) => first.get(path) !== sha256);
  if (other !== undefined) throw otherBytes(other.path);
}

function otherBytes(path: string, cause?: unknown): GateBreach {
  return new GateBreach(
    'SR-BUNDLE-008',
    path,
    'It was another file when the bundle was read a second time for its signature.',
    { cause },
  );
}

function createShardHash(hashing: Hashing, most: number) {
  const { shardBytes, algorithm } = hashing;
  const digests: string[] = [];
  let hash = createAlgorithm(algorithm);
  let inShard = 0;
  let tooMany = false;
  const close = (): void => {
    if (digests.length < most) digests.push(hash.hex());
    else tooMany = true;
    hash = createAlgorithm(algorithm);
    inShard = 0;
  };
  return {
    key: hashingKey(hashing),
    update(chunk: Uint8Array): void {
      let rest = chunk;
      while (rest.length > 0) {
        const part = rest.subarray(0, (shardBytes ?? Infinity) - inShard);
        hash.update(part);
        inShard += part.length;
        rest = rest.subarray(part.length);
        if (inShard === shardBytes) close();
      }
    },
    /** Empty when there were more shards than any signature lists: that fits none. */
    end(): readonly string[] {
      if (inShard > 0 || digests.length === 0) close();
      return tooMany ? [] : digests;
    },
  };
}

function createAlgorithm(algorithm: Hashing['algorithm']): Hash {
  if (algorithm === 'blake3') {
    const state = blake3.create();
    return {
      update: (chunk) => state.update(chunk),
      hex: () => Buffer.from(state.digest()).toString('hex'),
    };
  }
  const state = createHash(algorithm === 'blake2b' ? 'blake2b512' : 'sha256');
  return { update: (chunk) => state.update(chunk), hex: () => state.digest('hex') };
}
