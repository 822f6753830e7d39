export {
  plainName,
  receiptPathOf,
  receiptPredicate,
  receiptStatement,
  signReceipt,
  type ReceiptStatement,
} from './receipt.ts';
export { receiptSchema, runsSchema } from './schema.ts';
export { createRunStore, type RunStore } from './store.ts';
