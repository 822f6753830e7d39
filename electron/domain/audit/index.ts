export {
  isExportedLog,
  verdictOf,
  verifyCheckpoint,
  verifyExport,
  verifyProof,
  type Check,
} from './check-file.ts';
export { verifyLog } from './check-log.ts';
export { compareWithKept } from './compare.ts';
export { parseCheckpoint } from './checkpoint.ts';
export { parseEntry } from './entry.ts';
export { exportLog } from './export.ts';
export { openLog, type AuditLog, type LogMemory, type NewEntry } from './log.ts';
export { isSignature, keyFingerprint, parseVerifierKey } from './note.ts';
export { auditSchema } from './schema.ts';
export { isTlogProof } from './tlog-proof.ts';
