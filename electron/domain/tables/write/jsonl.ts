/** JSON Lines: one object per row. JSON has no numbers that are not finite, so those are null, as what is missing. */
import { writeSync } from 'node:fs';
import type { Conversion, ConvertedColumn } from './convert.ts';
import { textColumns } from './rows.ts';

export async function writeJsonLines(conversion: Conversion): Promise<void> {
  const { to, columns } = conversion;
  const keys = columns.map(({ name }, at) => `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  for await (const { rows, texts } of textColumns(conversion)) {
    let lines = '';
    for (let row = 0; row < rows; row += 1) {
      for (const [at, column] of columns.entries())
        lines += `${keys[at] ?? ''}${jsonOf(texts[at]?.[row] ?? null, column)}`;
      lines += '}\n';
    }
    writeAll(to, Buffer.from(lines));
  }
}

/** Digits stay as they are, beyond 2^53 too. */
function jsonOf(text: string | null, { kind }: ConvertedColumn): string {
  if (kind === 'text' || kind === 'bytes') return JSON.stringify(text ?? '');
  if (text === null || /^(NaN|-?Infinity)$/.test(text)) return 'null';
  return text;
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
}
