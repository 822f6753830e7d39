export { reasonsSchema } from './schema.ts';
export { createReasonTexts, type ReasonTextsStore } from './store.ts';
