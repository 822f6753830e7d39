/**
 * A signature inside of what it signs. The PDF holds an uncompressed attachment of fixed length; the signature is made over the
 * whole file with that slot blank (and the slot's MD5, which PDF keeps beside it, that of the blank), then written into the
 * slot. So every byte of the file is covered, the pages that people read included. The envelope is DSSE over an in-toto
 * Statement v1.
 */
import { createHash, hash } from 'node:crypto';
import { z } from 'zod';
import {
  dsseEnvelope,
  preAuthenticationEncoding,
  signStatement,
  type DsseEnvelope,
} from '#platform/dsse.ts';

export const slotName = 'signature.dsse.json';
const slotBytes = 8192;
/** First bytes of the slot, signed or blank: how it is found. */
const marker = '{"strongroom-signature":1,"dsse":';

export const blankSlot: Uint8Array = Buffer.from(marker.padEnd(slotBytes));
const blankMd5 = createHash('md5').update(blankSlot).digest('hex');

export const reportStatement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: z.string() }) }))
    .length(1),
  predicateType: z.string().startsWith('https://strongroom.invalid/report/'),
  predicate: z.strictObject({
    madeAt: z.string(),
    madeBy: z.string(),
    logSize: z.int(),
    logRoot: z.string(),
  }),
});
export type ReportStatement = z.infer<typeof reportStatement>;

export function signReport(
  blankPdf: Uint8Array,
  options: {
    readonly name: string;
    readonly kind: string;
    readonly predicate: ReportStatement['predicate'];
    readonly verifierKey: string;
    readonly sign: (message: Uint8Array) => Uint8Array;
  },
): Uint8Array {
  const at = findSlot(blankPdf);
  if (at === undefined) throw new Error('The report has no place for its signature.');
  const statement: ReportStatement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: options.name, digest: { sha256: hash('sha256', blankPdf, 'hex') } }],
    predicateType: `https://strongroom.invalid/report/${options.kind}/v1`,
    predicate: options.predicate,
  };
  const envelope = signStatement(statement, { keyid: options.verifierKey, sign: options.sign });
  const content = fillSlot(envelope);
  const signed = Buffer.from(blankPdf);
  content.copy(signed, at);
  replaceMd5(signed, blankMd5, createHash('md5').update(content).digest('hex'));
  return signed;
}

export interface FoundSignature {
  readonly envelope: DsseEnvelope;
  readonly message: Uint8Array;
  readonly statement: ReportStatement;
  /** Hex SHA-256 of the file with the slot blank. */
  readonly blankSha256: string;
}

/** Undefined when there is no slot, more than one, or one that is not in the form that `signReport` writes. */
export function readSignature(pdf: Uint8Array): FoundSignature | undefined {
  const at = findSlot(pdf);
  if (at === undefined) return undefined;
  const content = Buffer.from(pdf.subarray(at, at + slotBytes));
  try {
    const envelope = dsseEnvelope.parse(
      JSON.parse(content.toString('latin1').trimEnd().slice(marker.length, -1)),
    );
    if (!fillSlot(envelope).equals(content)) return undefined;
    const payload = Buffer.from(envelope.payload, 'base64');
    const blank = Buffer.from(pdf);
    blank.set(blankSlot, at);
    replaceMd5(blank, createHash('md5').update(content).digest('hex'), blankMd5);
    return {
      envelope,
      message: preAuthenticationEncoding(envelope.payloadType, payload),
      statement: reportStatement.parse(JSON.parse(payload.toString('utf8'))),
      blankSha256: hash('sha256', blank, 'hex'),
    };
  } catch {
    return undefined; // whatever is in the slot is not a signature of ours
  }
}

function fillSlot({ payload, payloadType, signatures }: DsseEnvelope): Buffer {
  const text = `${marker}${JSON.stringify({ payload, payloadType, signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })) })}}`;
  if (text.length > slotBytes) throw new Error('The signature is longer than its place.');
  return Buffer.from(text.padEnd(slotBytes), 'latin1');
}

function findSlot(pdf: Uint8Array): number | undefined {
  const bytes = Buffer.from(pdf.buffer, pdf.byteOffset, pdf.byteLength);
  const at = bytes.indexOf(marker);
  if (at < 0 || bytes.indexOf(marker, at + 1) >= 0 || at + slotBytes > bytes.length)
    return undefined;
  return at;
}

function replaceMd5(pdf: Buffer, from: string, to: string): void {
  const at = pdf.indexOf(`/CheckSum (${from})`);
  if (at >= 0) pdf.write(to, at + '/CheckSum ('.length);
}
