/**
 * `strongroom verify`: checks whatever Strongroom hands out, with no vault and no password. A file that is not what it claims
 * gives failed checks, never an exception; a name alone convinces it of nothing.
 */
import { open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import type { FileVerdict, LogEntry } from '#shared/contract/audit.ts';
import {
  isExportedLog,
  isKeyHistory,
  isSignature,
  isSignedInTime,
  isTlogProof,
  parseCheckpoint,
  parseEntry,
  parseKeyHistory,
  parseVerifierKey,
  signatureCheck,
  signerCheck,
  verdictOf,
  verifyCheckpoint,
  verifyExport,
  verifyKeyHistory,
  verifyProof,
  type Check,
  type Trust,
} from '#domain/audit/index.ts';
import { looksLikeManifest, verifyManifest } from '#domain/custody/index.ts';
import { canonicalJson } from '#platform/canonical-json.ts';
import { productionHistory } from './production-history.ts';
import { attachmentNames, evidenceSchema, keyHistoryName } from './evidence.ts';
import { looksLikeReceipt, verifyReceipt } from './receipt-file.ts';
import { readSignature, slotName } from './signature-slot.ts';
import { looksLikeVerdict, verifyVerdict } from './verdict-file.ts';

/** What is added to the name of a checkpoint. */
export const keyHistorySuffix = '.key-history';
const maxFileBytes = 256 * 1024 * 1024;

/** Throws only when the file cannot be read at all. */
export async function verifyFile(
  path: string,
  options: {
    /** A key of the log that the caller trusts. */
    readonly verifierKey?: string | undefined;
    /** Text of the log's key history, for what was signed with another of its keys and does not carry it. */
    readonly keyHistory?: string | undefined;
    /** Of a receipt: the file or folder that the run is said to have read. Throws `invalid-input` with any other file. */
    readonly input?: string | undefined;
  } = {},
): Promise<FileVerdict> {
  const pinned =
    options.verifierKey === undefined ? undefined : parseVerifierKey(options.verifierKey).text;
  const trust: Trust = { pinned, keyHistory: options.keyHistory };
  if (trust.keyHistory !== undefined) parseKeyHistory(trust.keyHistory);
  const facts = await stat(path);
  if (facts.isDirectory()) {
    refuseInput(options.input);
    return (await isExportedLog(path)) ? verifyExport(path, trust) : unknown();
  }
  if (!facts.isFile()) return unknown();
  if (facts.size > maxFileBytes)
    throw new AppError('limit', 'The file is larger than anything that Strongroom hands out.');
  const head = Buffer.alloc(5);
  await using file = await open(path, 'r');
  await file.read(head, 0, head.length, 0);
  const bytes = await readFile(path);
  const text = bytes.toString('utf8');
  if (looksLikeReceipt(text))
    return verifyReceipt(text, trust, { folder: dirname(path), input: options.input });
  refuseInput(options.input);
  if (head.toString('latin1') === '%PDF-') return verifyReport(bytes, trust);
  if (isTlogProof(text)) return verifyProof(text, trust);
  if (looksLikeVerdict(text)) return verifyVerdict(text, trust);
  if (looksLikeManifest(text)) return verifyManifest(text, trust);
  if (isKeyHistory(text)) return verifyKeyHistory(text, trust);
  if (looksLikeCheckpoint(text))
    return verifyCheckpoint(text, {
      pinned,
      keyHistory: trust.keyHistory ?? (await historyBeside(path)),
    });
  return unknown();
}

function refuseInput(input: string | undefined): void {
  if (input !== undefined)
    throw new AppError(
      'invalid-input',
      'Only the receipt of a run names an input, and this file is none.',
    );
}

/** A checkpoint is a note of three lines and has no place for the key history, so it is written beside it. */
async function historyBeside(path: string): Promise<string | undefined> {
  const beside = `${path}${keyHistorySuffix}`;
  const facts = await stat(beside).catch(() => undefined); // not there: nothing to read
  return facts?.isFile() === true && facts.size <= maxFileBytes
    ? readFile(beside, 'utf8')
    : undefined;
}

function unknown(): FileVerdict {
  return verdictOf('unknown', [
    {
      name: 'form',
      ok: false,
      detail:
        'This is not a report, receipt, verdict, proof, checkpoint, key history, exported log or manifest of a backup of Strongroom.',
    },
  ]);
}

function looksLikeCheckpoint(text: string): boolean {
  try {
    parseCheckpoint(text);
    return true;
  } catch {
    return false; // the answer, not a fault
  }
}

export async function verifyReport(
  pdf: Uint8Array,
  { pinned, keyHistory }: Trust = {},
): Promise<FileVerdict> {
  const found = readSignature(pdf);
  if (found === undefined)
    return verdictOf('report', [
      {
        name: 'signature',
        ok: false,
        detail: 'The file has no signature of Strongroom, or it was changed.',
      },
    ]);
  try {
    const [signature] = found.envelope.signatures;
    const key = parseVerifierKey(signature?.keyid ?? '');
    const signed = found.envelope.signatures.some(({ sig }) =>
      isSignature(key, found.message, Buffer.from(sig, 'base64')),
    );
    const whole = found.statement.subject[0]?.digest.sha256 === found.blankSha256;
    const checks: Check[] = [
      signatureCheck(signed, key),
      {
        name: 'file',
        ok: whole,
        detail: whole
          ? 'Not a byte of the file was changed since it was signed.'
          : 'The file was changed after it was signed.',
      },
    ];
    // Only a file that is whole is worth parsing further; what is in a changed one proves nothing.
    if (!signed || !whole) return verdictOf('report', checks);
    const files = await readAttachments(pdf);
    const history = textOf(files, keyHistoryName);
    return verdictOf('report', [
      ...checks,
      signerCheck(key, pinned, parseKeyHistory(history, keyHistory ?? '')),
      ...checkEvidence(files, { key: key.text, keyHistory, statement: found.statement }),
    ]);
  } catch (error) {
    return verdictOf('report', [
      {
        name: 'form',
        ok: false,
        detail:
          error instanceof AppError
            ? error.message
            : 'The file does not have the form of a report.',
      },
    ]);
  }
}

const proofLine = z.strictObject({ index: z.int(), proof: z.string() });

function textOf(files: ReadonlyMap<string, Uint8Array>, name: string): string {
  return Buffer.from(files.get(name) ?? '').toString('utf8');
}

function checkEvidence(
  files: ReadonlyMap<string, Uint8Array>,
  context: {
    readonly key: string;
    readonly keyHistory: string | undefined;
    readonly statement: NonNullable<ReturnType<typeof readSignature>>['statement'];
  },
): Check[] {
  const text = (name: string): string => textOf(files, name);
  const evidence = evidenceSchema.parse(JSON.parse(text(attachmentNames.evidence)));
  const entries = lines(text(attachmentNames.entries)).map(parseEntry);
  const proofs = lines(text(attachmentNames.proofs)).map((line) =>
    proofLine.parse(JSON.parse(line)),
  );
  const checkpoint = parseCheckpoint(text(attachmentNames.checkpoint));
  const root = Buffer.from(checkpoint.root).toString('hex');
  const named =
    files.size === (files.has(keyHistoryName) ? 7 : 6) &&
    [...Object.values(attachmentNames), slotName].every((name) => files.has(name));
  const sameLog =
    evidence.log.size === checkpoint.size &&
    evidence.log.root === root &&
    context.statement.predicate.logRoot === root &&
    text(attachmentNames.key).trim() === context.key;
  const known = entries.filter((entry): entry is LogEntry => entry !== undefined);
  const complete =
    known.length === entries.length &&
    canonicalJson(known.map(({ index }) => index)) === canonicalJson(evidence.entries) &&
    proofs.length === known.length;
  const proved = known.filter((entry, at) =>
    provesEntry(proofs[at], entry, {
      key: context.key,
      checkpoint: text(attachmentNames.checkpoint),
    }),
  ).length;
  const computed =
    complete &&
    canonicalJson(productionHistory(known, evidence.filter)) === canonicalJson(evidence.history);
  const histories = parseKeyHistory(text(keyHistoryName), context.keyHistory ?? '');
  const logged = isSignedInTime(checkpoint, parseVerifierKey(context.key), histories);
  return [
    {
      name: 'attachments',
      ok: named,
      detail: named
        ? 'Evidence, entries, proofs, checkpoint, key and signature are there.'
        : 'Attachments are missing, or there are others.',
    },
    {
      name: 'checkpoint',
      ok: logged && sameLog,
      detail:
        logged && sameLog
          ? `The checkpoint over ${checkpoint.size} entries is signed by the same key.`
          : 'The checkpoint does not belong to this report.',
    },
    {
      name: 'entries',
      ok: complete && proved === known.length,
      detail: `${proved} of ${entries.length} entries are proved to stand in the log.`,
    },
    {
      name: 'content',
      ok: computed,
      detail: computed
        ? 'The content of the report follows from the entries.'
        : 'The content of the report does not follow from the entries.',
    },
  ];
}

function provesEntry(
  line: z.infer<typeof proofLine> | undefined,
  entry: LogEntry,
  expected: { readonly key: string; readonly checkpoint: string },
): boolean {
  if (
    line === undefined ||
    line.index !== entry.index ||
    !line.proof.endsWith(`\n\n${expected.checkpoint}`)
  )
    return false;
  const extra = /^extra (\S+)$/m.exec(line.proof)?.[1] ?? '';
  const inside: unknown = JSON.parse(Buffer.from(extra, 'base64').toString('utf8'));
  const same = z.looseObject({ entry: z.literal(canonicalJson(entry)) }).safeParse(inside).success;
  return same && verifyProof(line.proof, { pinned: expected.key }).status === 'valid';
}

/** By pdf.js without eval, workers, fonts or network: only the attachment table is read. */
async function readAttachments(pdf: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const { getDocument, VerbosityLevel } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  const task = getDocument({
    data: Uint8Array.from(pdf),
    useSystemFonts: false,
    disableFontFace: true,
    useWorkerFetch: false,
    stopAtErrors: true,
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    const document = await task.promise;
    const attachments = await document.getAttachments();
    const files = new Map<string, Uint8Array>();
    for (const id of attachments?.keys() ?? [])
      files.set(id, z.instanceof(Uint8Array).parse(await document.getAttachmentContent(id)));
    return files;
  } finally {
    await task.destroy();
  }
}

function lines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
