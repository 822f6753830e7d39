import type { TableDriver } from '../table.ts';
import { describeCsv } from './describe.ts';
import { openCsvReader } from './read.ts';
import { splitCsv } from './split.ts';

/** Values separated by commas or whatever else: RFC 4180 and what is found in its place. */
export const csvDriver: TableDriver = {
  describe: describeCsv,
  split: (source, info) => splitCsv(source, info),
  open: (source, info, options) => Promise.resolve(openCsvReader(source, info, options)),
};
