/** An archive in parts, as Zarf, `split` and other splitters write them. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Replaces the file by its parts; gives their paths. */
export function splitFile(
  path: string,
  count: number,
  options: { readonly naming?: 'part' | 'number'; readonly first?: 0 | 1 } = {},
): string[] {
  const bytes = readFileSync(path);
  const size = Math.ceil(bytes.length / count);
  rmSync(path);
  return Array.from({ length: count }, (_, at) => {
    const number = String(at + (options.first ?? 1)).padStart(3, '0');
    const name = options.naming === 'number' ? `${path}.${number}` : `${path}.part${number}`;
    writeFileSync(name, bytes.subarray(at * size, (at + 1) * size));
    return name;
  });
}

/** The `.part000` that Zarf puts before its parts. */
export function writeZarfHeader(path: string, parts: readonly string[], change = {}): string {
  const bytes = Buffer.concat(parts.map((part) => readFileSync(part)));
  const Sha256Sum = createHash('sha256').update(bytes).digest('hex');
  const header = { Sha256Sum, Bytes: bytes.length, Count: parts.length, ...change };
  writeFileSync(`${path}.part000`, JSON.stringify(header));
  return `${path}.part000`;
}

/** What `sha256sum NAME.part*` prints. */
export function writeDigests(path: string, parts: readonly string[]): void {
  const lines = parts.map(
    (part) =>
      `${createHash('sha256').update(readFileSync(part)).digest('hex')}  ${basename(part)}\n`,
  );
  writeFileSync(`${path}.sha256`, lines.join(''));
}
