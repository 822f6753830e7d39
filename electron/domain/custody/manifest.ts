/**
 * The manifest of one snapshot: a DSSE envelope around an in-toto Statement v1 whose subjects are the pieces of the vault's
 * files. It is signed with the key of the vault's log and carries the log's checkpoint, so that it can be checked with no
 * password; whether that key is the right one is for whoever has the vault or its verifier key. FORMAT.md is normative.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { FileVerdict } from '#shared/contract/audit.ts';
import {
  isSignature,
  isSignedInTime,
  parseCheckpoint,
  parseKeyHistory,
  parseVerifierKey,
  signatureCheck,
  signerCheck,
  verdictOf,
  type AuditLog,
  type Check,
  type Trust,
} from '#domain/audit/index.ts';
import {
  dsseEnvelope,
  inTotoPayloadType,
  preAuthenticationEncoding,
  type DsseEnvelope,
} from '#platform/dsse.ts';

export const backupPredicateType = 'https://strongroom.invalid/backup/v1';

/** One stretch of a file, at most `pieceBytes` long; on the medium its name is its digest. */
export interface Piece {
  /** Hex. */
  readonly sha256: string;
  readonly bytes: number;
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Nothing else can be in a backup, so nothing else can be written at a restore. */
const vaultFileName = z
  .string()
  .regex(/^(vault\.json|(catalog|audit|records)\.db|objects\/[0-9a-f]{2}\/[0-9a-f]{32})$/);

const statement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  /** In the order of the files and of the pieces in each. */
  subject: z
    .array(
      z.strictObject({
        name: vaultFileName,
        digest: z.strictObject({ sha256 }),
        annotations: z.strictObject({
          at: z.int().nonnegative(),
          bytes: z.int().nonnegative(),
        }),
      }),
    )
    .min(4),
  predicateType: z.literal(backupPredicateType),
  predicate: z.strictObject({
    vaultId: z.string().regex(/^[0-9a-f]{32}$/),
    snapshot: z.int().positive(),
    backupId: z.string().regex(/^[0-9a-f]{16}$/),
    madeAt: z.iso.datetime(),
    log: z.strictObject({
      size: z.int().nonnegative(),
      root: sha256,
      checkpoint: z.string(),
      /** How the key of the log follows from those before it; left out while it is the first. */
      keyHistory: z.string().optional(),
      /** Index of the entry that announced the backup; its outcome cannot be inside. */
      announced: z.int().nonnegative(),
    }),
  }),
});
type BackupStatement = z.infer<typeof statement>;
export type SnapshotFacts = BackupStatement['predicate'];

export interface Manifest {
  readonly facts: SnapshotFacts;
  readonly verifierKey: string;
  /** The pieces of each file, in order. */
  readonly files: ReadonlyMap<string, readonly Piece[]>;
  /** Of the manifest as a file, `sha256:` and hex. */
  readonly digest: string;
}

export function signManifest(
  facts: SnapshotFacts,
  files: ReadonlyMap<string, readonly Piece[]>,
  log: Pick<AuditLog, 'sign' | 'head'>,
): string {
  const content: BackupStatement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [...files].flatMap(([name, pieces]) =>
      pieces.map((piece, at) => ({
        name,
        digest: { sha256: piece.sha256 },
        annotations: { at, bytes: piece.bytes },
      })),
    ),
    predicateType: backupPredicateType,
    predicate: facts,
  };
  const payload = Buffer.from(JSON.stringify(statement.parse(content)));
  const sig = log.sign(preAuthenticationEncoding(inTotoPayloadType, payload));
  return envelopeToText({
    payload: payload.toString('base64'),
    payloadType: inTotoPayloadType,
    signatures: [{ keyid: log.head().verifierKey, sig: Buffer.from(sig).toString('base64') }],
  });
}

/** The one text of an envelope: another one with the same meaning is a changed file all the same. */
function envelopeToText({ payload, payloadType, signatures }: DsseEnvelope): string {
  const canonical = (base64: string): string => Buffer.from(base64, 'base64').toString('base64');
  const content = {
    payload: canonical(payload),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: canonical(sig) })),
  };
  return `${JSON.stringify(content)}\n`;
}

/** What is in a manifest whose signature fits; throws `corrupt` or `tampered` for any other. */
export function readManifest(text: string): Manifest {
  const { verdict, manifest } = inspectManifest(text);
  const failed = verdict.checks.find(({ ok }) => !ok);
  if (failed !== undefined || manifest === undefined)
    throw new AppError(
      failed?.name === 'form' ? 'corrupt' : 'tampered',
      `A manifest of the backup does not hold: ${failed?.detail ?? 'it cannot be read.'}`,
    );
  return manifest;
}

/** Whether a file could be one at all: what `verify` asks before it looks closer. */
export function looksLikeManifest(text: string): boolean {
  return payloadOf(text)?.includes(`"${backupPredicateType}"`) === true;
}

export function verifyManifest(text: string, trust: Trust = {}): FileVerdict {
  return inspectManifest(text, trust).verdict;
}

function payloadOf(text: string): string | undefined {
  try {
    const { payload } = dsseEnvelope.parse(JSON.parse(text));
    return Buffer.from(payload, 'base64').toString('utf8');
  } catch {
    return undefined; // the answer, not a fault
  }
}

function inspectManifest(
  text: string,
  { pinned, keyHistory }: Trust = {},
): { readonly verdict: FileVerdict; readonly manifest: Manifest | undefined } {
  try {
    const envelope = dsseEnvelope.parse(JSON.parse(text));
    if (envelopeToText(envelope) !== text) throw new Error('Not the text of a manifest.');
    const payload = Buffer.from(envelope.payload, 'base64');
    const { predicate: facts, subject } = statement.parse(JSON.parse(payload.toString('utf8')));
    const key = parseVerifierKey(envelope.signatures[0]?.keyid ?? '');
    const history = parseKeyHistory(facts.log.keyHistory ?? '', keyHistory ?? '');
    const message = preAuthenticationEncoding(envelope.payloadType, payload);
    const signed =
      envelope.payloadType === inTotoPayloadType &&
      envelope.signatures.some(({ sig }) => isSignature(key, message, Buffer.from(sig, 'base64')));
    const checkpoint = parseCheckpoint(facts.log.checkpoint);
    const logged =
      isSignedInTime(checkpoint, key, history) &&
      checkpoint.size === facts.log.size &&
      Buffer.from(checkpoint.root).toString('hex') === facts.log.root;
    const files = filesOf(subject);
    const checks: Check[] = [
      {
        name: 'backup',
        ok: files !== undefined && key.name.endsWith(`/${facts.vaultId}`),
        detail:
          files === undefined
            ? 'The list of pieces is not in order.'
            : `Snapshot ${facts.snapshot} of vault ${facts.vaultId}, made at ${facts.madeAt}: ${files.size} files, log of ${facts.log.size} entries.`,
      },
      signatureCheck(signed, key),
      {
        name: 'checkpoint',
        ok: logged,
        detail: logged
          ? `The checkpoint over ${facts.log.size} entries is signed by the same key.`
          : 'The checkpoint does not belong to this backup.',
      },
      signerCheck(key, pinned, history),
    ];
    const digest = `sha256:${hash('sha256', text, 'hex')}`;
    return {
      verdict: verdictOf('backup', checks),
      manifest: files === undefined ? undefined : { facts, verifierKey: key.text, files, digest },
    };
  } catch (error) {
    const detail =
      error instanceof AppError ? error.message : 'The file does not have the form of a manifest.';
    return {
      verdict: verdictOf('backup', [{ name: 'form', ok: false, detail }]),
      manifest: undefined,
    };
  }
}

/** Undefined when pieces are out of order, or one of the four files that every vault has is missing. */
function filesOf(
  subject: BackupStatement['subject'],
): ReadonlyMap<string, readonly Piece[]> | undefined {
  const files = new Map<string, Piece[]>();
  for (const { name, digest, annotations } of subject) {
    const pieces = files.get(name) ?? [];
    if (annotations.at !== pieces.length) return undefined;
    pieces.push({ sha256: digest.sha256, bytes: annotations.bytes });
    files.set(name, pieces);
  }
  const complete = ['vault.json', 'catalog.db', 'audit.db', 'records.db'].every((name) =>
    files.has(name),
  );
  return complete ? files : undefined;
}
