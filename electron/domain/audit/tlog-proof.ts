/**
 * Inclusion proofs as files (C2SP tlog-proof v1). The `extra` line carries the entry itself and the verifier key, so that
 * one file can be checked alone; whether that key is the right one is a question for whoever compares fingerprints.
 */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { canonicalJson } from '#platform/canonical-json.ts';
import type { Hash } from './merkle.ts';

const header = 'c2sp.org/tlog-proof@v1';
const maxHashes = 63;

const extraSchema = z.strictObject({
  entry: z.string(),
  verifierKey: z.string(),
  keyHistory: z.string().optional(),
});

export interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Hash[];
  readonly checkpoint: string;
  /** The entry's exact bytes, as text. */
  readonly entry: string;
  readonly verifierKey: string;
  /** How that key follows from those before it; left out while it is the first, and where it stands beside the proof. */
  readonly keyHistory?: string | undefined;
}

export function tlogProofToText(proof: TlogProof): string {
  const { entry, verifierKey, keyHistory } = proof;
  const extra = Buffer.from(
    canonicalJson({ entry, verifierKey, ...(keyHistory === undefined ? {} : { keyHistory }) }),
  ).toString('base64');
  const hashes = proof.hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `${header}\nextra ${extra}\nindex ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}

export function isTlogProof(text: string): boolean {
  return text.startsWith(`${header}\n`);
}

/** Proofs that stand one after the other. */
export function splitProofs(text: string): string[] {
  return text.split(/^(?=c2sp\.org\/tlog-proof@v1\n)/m);
}

export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const [first, extraLine, indexLine, ...hashLines] = text.slice(0, end).split('\n');
  const encoded = /^extra ([A-Za-z0-9+/]+={0,2})$/.exec(extraLine ?? '')?.[1];
  const index = /^index (0|[1-9][0-9]{0,14})$/.exec(indexLine ?? '')?.[1];
  const hashes = hashLines.map((line) => Buffer.from(line, 'base64'));
  const canonical = hashes.every(
    (hash, at) => hash.length === 32 && hash.toString('base64') === hashLines[at],
  );
  if (
    end < 0 ||
    first !== header ||
    encoded === undefined ||
    index === undefined ||
    !canonical ||
    hashes.length > maxHashes
  )
    throw malformed();
  const json = Buffer.from(encoded, 'base64');
  if (json.toString('base64') !== encoded) throw malformed();
  try {
    return {
      index: Number(index),
      hashes,
      checkpoint: text.slice(end + 2),
      ...extraSchema.parse(JSON.parse(json.toString('utf8'))),
    };
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): AppError {
  return new AppError('corrupt', 'This is not an inclusion proof that Strongroom wrote.', {
    cause,
  });
}
