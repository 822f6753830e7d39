/**
 * What a signature binds: the signed in-toto statement (OMS 1.0 §5 to §6), in every form that the reference implementation has
 * written since version 0.2.0, as digests by path.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { readJson, Unacceptable, Unchecked } from './envelope.ts';

export const signaturePredicate = 'https://model_signing/signature/v1.0';
const oldPredicate = 'https://model_signing/Digests/v0.1';

/** How the digests of a signature are made: of whole files, or of pieces of `shardBytes`. */
export interface Hashing {
  readonly algorithm: 'sha256' | 'blake2b' | 'blake3';
  readonly shardBytes: number | undefined;
}

export interface SignedFiles {
  readonly hashing: Hashing;
  /** Hex digests by path: one of a whole file, or those of its shards in order. */
  readonly digestsByPath: ReadonlyMap<string, readonly string[]>;
  /** Exact paths that the signer left out, with what is below them. */
  readonly ignorePaths: readonly string[];
}

export const plainHashing: Hashing = { algorithm: 'sha256', shardBytes: undefined };

export function hashingKey({ algorithm, shardBytes }: Hashing): string {
  return `${algorithm}:${shardBytes ?? 'files'}`;
}

const hexBytes: Readonly<Record<Hashing['algorithm'], number>> = {
  sha256: 64,
  blake2b: 128,
  blake3: 64,
};

const hexDigest = z.string().regex(/^[0-9a-f]+$/);
const statement = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(
      z.object({
        name: z.string().optional(),
        digest: z.record(z.string(), hexDigest),
        annotations: z.looseObject({ actual_hash_algorithm: z.string().optional() }).optional(),
      }),
    )
    .min(1),
  predicateType: z.string(),
  predicate: z.looseObject({}).optional(),
});
const currentPredicate = z.object({
  resources: z
    .array(z.object({ name: z.string().min(1), digest: hexDigest, algorithm: z.string() }))
    .min(1),
  serialization: z.object({
    method: z.string(),
    hash_type: z.string(),
    shard_size: z.int().positive().optional(),
    allow_symlinks: z.boolean().optional(),
    ignore_paths: z.array(z.string()).optional(),
  }),
});

/** Throws `Unacceptable` for what contradicts itself and `Unchecked` for what is not known here. */
export function readStatement(payload: Uint8Array): SignedFiles {
  const { subject, predicateType, predicate } = parse(statement, readJson(payload));
  if (predicateType === oldPredicate) return readOldSubjects(subject);
  if (predicateType !== signaturePredicate)
    throw new Unacceptable(
      'The signature is about something else than a model (another predicate type).',
    );
  const { resources, serialization } = parse(currentPredicate, predicate);
  const [model, ...others] = subject;
  if (others.length > 0) throw new Unacceptable('The signature has several subjects.');
  const hashing = readHashing(serialization);
  if (
    resources.some(
      ({ algorithm, digest }) =>
        algorithm !== hashing.algorithm || digest.length !== hexBytes[hashing.algorithm],
    )
  )
    throw new Unacceptable(
      'A digest in the signature is not of the kind that the signature names.',
    );
  // The root digest is SHA-256 whatever the files are hashed with (OMS §6.5.1).
  const root = hash(
    'sha256',
    Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))),
    'hex',
  );
  if (model?.digest['sha256'] !== root)
    throw new Unacceptable('The signed digest does not fit the list of files in the signature.');
  return {
    hashing,
    digestsByPath:
      hashing.shardBytes === undefined
        ? filesByPath(resources.map(({ name, digest }) => [name, digest]))
        : shardsByPath(resources, hashing.shardBytes),
    ignorePaths: serialization.ignore_paths ?? [],
  };
}

function parse<T>(schema: { parse(value: unknown): T }, value: unknown): T {
  try {
    return schema.parse(value);
  } catch {
    throw new Unacceptable('The signed statement is not one of OpenSSF Model Signing.');
  }
}

/** Version 0.2.0: one subject for each file, nothing else. */
function readOldSubjects(subject: z.infer<typeof statement>['subject']): SignedFiles {
  if (
    subject.some(
      ({ annotations }) => (annotations?.actual_hash_algorithm ?? 'file-sha256') !== 'file-sha256',
    )
  )
    throw new Unchecked(
      'The signature is of an old form and uses another hash than SHA-256 of whole files. Ask for a new one.',
    );
  return {
    hashing: plainHashing,
    digestsByPath: filesByPath(
      subject.map(({ name, digest }) => [name ?? '', digest['sha256'] ?? '']),
    ),
    ignorePaths: [],
  };
}

function readHashing({
  method,
  hash_type: algorithm,
  shard_size: shardBytes,
}: z.infer<typeof currentPredicate>['serialization']): Hashing {
  if (algorithm !== 'sha256' && algorithm !== 'blake2b' && algorithm !== 'blake3')
    throw new Unchecked(
      `The signature uses the hash ${printable(algorithm)}, which is not known here. Ask for one with SHA-256.`,
    );
  if (method === 'files' && shardBytes === undefined) return { algorithm, shardBytes: undefined };
  if (method === 'shards' && shardBytes !== undefined) return { algorithm, shardBytes };
  if (method === 'files' || method === 'shards')
    throw new Unacceptable('The signature does not say how its shards are cut.');
  throw new Unchecked(
    `The signature lists ${printable(method)} instead of files, which is not known here. Ask for one with the method "files".`,
  );
}

function filesByPath(
  entries: readonly (readonly [string, string])[],
): ReadonlyMap<string, readonly string[]> {
  const paths = new Map(entries.map(([path, digest]) => [path, [digest]]));
  if (paths.size !== entries.length) throw new Unacceptable('The signature lists a file twice.');
  return paths;
}

/** Names are `path:start:end`, split at the last two colons; together the shards of a path must be the whole file. */
function shardsByPath(
  resources: readonly { readonly name: string; readonly digest: string }[],
  shardBytes: number,
): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map<string, { start: number; end: number; digest: string }[]>();
  for (const { name, digest } of resources) {
    const [, path, from, to] = /^(.+):(\d{1,15}):(\d{1,15})$/s.exec(name) ?? [];
    if (path === undefined) throw new Unacceptable('The signature names a shard in no known way.');
    const shards = byPath.get(path) ?? [];
    shards.push({ start: Number(from), end: Number(to), digest });
    byPath.set(path, shards);
  }
  return new Map(
    [...byPath].map(([path, shards]) => {
      shards.sort((a, b) => a.start - b.start);
      const whole = shards.every(
        ({ start, end }, at) =>
          start === at * shardBytes &&
          (at < shards.length - 1
            ? end === start + shardBytes
            : end <= start + shardBytes && (end > start || shards.length === 1)),
      );
      if (!whole)
        throw new Unacceptable(
          `The shards of ${printable(path)} in the signature are not a whole.`,
        );
      return [path, shards.map(({ digest }) => digest)];
    }),
  );
}

/** For messages: what comes from a signature must not reach a terminal raw, or fill it. */
export function printable(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?').slice(0, 200);
}
