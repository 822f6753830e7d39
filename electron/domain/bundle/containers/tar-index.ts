/**
 * Where the entries of a seekable tar begin (POSIX.1-2017 pax, ustar, and GNU long names), found by reading headers only.
 * Undefined for anything that is not a plain, whole tar of files and folders, and for what readers of tars disagree about: the
 * streaming reader then says what is wrong.
 */
import { gateLimits } from '../limits.ts';
import type { ByteSource } from './byte-source.ts';

export interface TarEntry {
  readonly path: string;
  readonly isFolder: boolean;
  /** Of the content, in the source. */
  readonly start: number;
  readonly sizeBytes: number;
}

const block = 512;
const maxExtension = 64 * 1024;

/** Entries in their order. */
export async function indexTar(source: ByteSource): Promise<readonly TarEntry[] | undefined> {
  if (source.sizeBytes % block !== 0) return undefined;
  const entries: TarEntry[] = [];
  let offset = 0;
  let pax = new Map<string, string>();
  let longName: string | undefined;
  for (let count = 0; count <= 4 * gateLimits.entries; count += 1) {
    const header = await source.read(offset, block);
    // Empty blocks end a tar, and so does the end of the file.
    if (isEmpty(header)) {
      const rest = await source.read(offset, maxExtension + 1);
      return rest.length <= maxExtension && isEmpty(rest) ? entries : undefined;
    }
    const size = numberAt(header, 124, 12);
    if (header.length < block || size === undefined || !hasItsChecksum(header)) return undefined;
    if (header.toString('latin1', 257, 262) !== 'ustar') return undefined;
    const kind = String.fromCharCode(header[156] ?? 0);
    const start = offset + block;
    if (kind === 'x' || kind === 'g' || kind === 'L') {
      if (size > maxExtension) return undefined;
      const content = await source.read(start, size);
      if (kind === 'x') pax = paxRecords(content);
      if ([...pax.keys()].some(isOfSparse)) return undefined;
      if (kind === 'g' && ['path', 'size'].some((name) => paxRecords(content).has(name)))
        return undefined;
      if (kind === 'L') longName = textAt(content, 0, content.length);
      offset = start + padded(size);
      continue;
    }
    const sizeBytes = Number(pax.get('size') ?? size);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || start + sizeBytes > source.sizeBytes)
      return undefined;
    const prefix =
      header.toString('latin1', 257, 263) === 'ustar\0' ? textAt(header, 345, 155) : '';
    const own = textAt(header, 0, 100);
    const path = pax.get('path') ?? longName ?? (prefix === '' ? own : `${prefix}/${own}`);
    const isFolder = kind === '5';
    if (!isFolder && (!['0', '\0', '7'].includes(kind) || path.endsWith('/'))) return undefined;
    if (isFolder && sizeBytes > 0) return undefined;
    entries.push({ path, isFolder, start, sizeBytes });
    offset = start + padded(sizeBytes);
    pax = new Map();
    longName = undefined;
  }
  return undefined;
}

/** A pax record of a file that is described instead of packed. */
export function isOfSparse(record: string): boolean {
  return record.startsWith('GNU.sparse.');
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function padded(size: number): number {
  return Math.ceil(size / block) * block;
}

function textAt(bytes: Buffer, offset: number, length: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString('utf8', offset, Math.min(offset + length, end < 0 ? bytes.length : end));
}

/** Octal text, or big-endian with the first bit set for what is beyond 8 GiB. */
function numberAt(header: Buffer, offset: number, length: number): number | undefined {
  if (header.length < offset + length) return undefined;
  if (((header[offset] ?? 0) & 0x80) !== 0) {
    const value = header.readUIntBE(offset + length - 6, 6);
    const high = header.subarray(offset + 1, offset + length - 6);
    return header[offset] === 0x80 && high.every((byte) => byte === 0) ? value : undefined;
  }
  const text = header
    .toString('latin1', offset, offset + length)
    .replace(/[\0 ]+$/, '')
    .trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text === '' ? '0' : text, 8) : undefined;
}

function hasItsChecksum(header: Buffer): boolean {
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  return numberAt(header, 148, 8) === sum;
}

function paxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.toString('latin1', at, space));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at) break;
    const record = content.toString('utf8', space + 1, at + length - 1);
    records.set(record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1));
    at += length;
  }
  return records;
}
