/** Which format a file has: told from its first bytes, and from its name only where those leave a choice. */
import type { TableFormat } from './table.ts';
import { isArrowFile, isArrowStream } from './arrow/magic.ts';
import type { OutputFormat } from './write/convert.ts';

/** Bytes that tell. */
export const magicBytes = 64;

/**
 * A name may lie, so a Parquet file that is called `.csv` is Parquet. JSON and separated values are both texts: an object at the
 * start is a row of JSON Lines. Folders are told apart by what is in them, in a child.
 */
export function formatOf(first: Uint8Array, name: string): TableFormat {
  const text = Buffer.from(first.subarray(0, magicBytes)).toString('latin1');
  if (text.startsWith('PAR1')) return 'parquet';
  if (isArrowFile(first) || isArrowStream(first)) return 'arrow';
  // An array of objects is none, and its reader says what to do.
  if (/^(\xEF\xBB\xBF)?\s*(\[\s*)?\{\s*(["}]|$)/.test(text) || /\.(jsonl|ndjson|json)$/i.test(name))
    return 'jsonl';
  // Those have magics: without them a file is damaged, and its reader says so.
  if (/\.(parquet|pq)$/i.test(name)) return 'parquet';
  if (/\.(arrow|arrows|feather|ipc)$/i.test(name)) return 'arrow';
  return 'csv';
}

/** What a result is written as: told from its name. */
export function formatOfName(name: string): OutputFormat {
  if (/\.(jsonl|ndjson)$/i.test(name)) return 'jsonl';
  if (/\.(parquet|pq)$/i.test(name)) return 'parquet';
  return /\.(arrow|feather)$/i.test(name) ? 'arrow' : 'csv';
}
