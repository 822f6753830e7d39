import type { TableDriver } from '../table.ts';
import { describeJsonLines } from './describe.ts';
import { openJsonLinesReader } from './read.ts';
import { splitJsonLines } from './split.ts';

/** JSON Lines (https://jsonlines.org): UTF-8, one object per line. Keys are columns; a key that a row does not have is missing. */
export const jsonlDriver: TableDriver = {
  describe: describeJsonLines,
  split: splitJsonLines,
  open: (source, info, options) => Promise.resolve(openJsonLinesReader(source, info, options)),
};
