import type { TableInfo } from './table.ts';

/** What of a row is written beside its predictions, on request: all that can stand in a table of text. */
export function rawNames({ format, columns }: TableInfo): string[] {
  if (format === 'images' || format === 'texts') return ['file'];
  return columns.filter(({ type }) => type !== 'bytes').map(({ name }) => name);
}
