export { keptDataSchema } from './schema.ts';
export { csvLine, openRows, sealRows, type SealedCounts } from './sealed-rows.ts';
export { createKeptData, type KeptDataStore } from './store.ts';
export { commitTo } from './subjects.ts';
