/** The digest of a folder as an input: SHA-256 over a line for each of its entries. The receipt's FORMAT.md is normative. */
import { createHash } from 'node:crypto';
import type { FolderFile } from '../table.ts';
import { entriesOf, isOpened, openEntry, type Entry } from './entries.ts';

const blockBytes = 2 ** 20;

/** Hex. Throws `io` when the folder changes meanwhile. */
export async function folderSha256(folder: string): Promise<string> {
  const digest = createHash('sha256');
  for (const entry of await entriesOf(folder))
    digest.update(digestLine(await fileOf(folder, entry)));
  return digest.digest('hex');
}

/** An entry as it is counted: its size and digest, which it must still have when it is read. */
export async function fileOf(folder: string, entry: Entry): Promise<FolderFile> {
  const { name } = entry;
  if (!isOpened(entry)) return { name, sizeBytes: 0, sha256: '' };
  await using file = await openEntry(folder, name);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of file.createReadStream({
    autoClose: false,
    highWaterMark: blockBytes,
  })) {
    const bytes = chunk as Uint8Array;
    hash.update(bytes);
    sizeBytes += bytes.length;
  }
  return { name, sizeBytes, sha256: hash.digest('hex') };
}

/** As `sha256sum` of GNU writes it, names with line breaks or backslashes included; `-` for what is not opened. */
export function digestLine({ name, sha256 }: FolderFile): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${sha256 === '' ? '-' : sha256}  ${escaped}\n`;
}
