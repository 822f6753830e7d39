/** Texts of a model as they are shown: one line, nothing hidden, not longer than the contract takes. */
import { createHash } from 'node:crypto';
import { printable } from '#platform/printable.ts';
import type { Size } from './shapes/known.ts';

const longest = 300;

/** A long text is cut, and stays different from other long texts. */
export function shownText(text: string): string {
  const plain = printable(text);
  if (plain.length <= longest) return plain.toWellFormed();
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return `${plain.slice(0, longest - 12).toWellFormed()}… ${mark}`;
}

export function shapeText(shape: readonly Size[] | null): string {
  if (shape === null) return '';
  return shape.length === 0 ? 'scalar' : shape.map((size) => size ?? '?').join('×');
}
