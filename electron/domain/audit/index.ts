export {
  isExportedLog,
  verifyCheckpoint,
  verifyExport,
  verifyKeyHistory,
  verifyProof,
  type Trust,
} from './check-file.ts';
export { verifyLog } from './check-log.ts';
export { compareWithKept, hasHadKey } from './compare.ts';
export { parseCheckpoint } from './checkpoint.ts';
export { parseEntry } from './entry.ts';
export { exportLog } from './export.ts';
export { isKeyHistory, isSignedInTime, parseKeyHistory } from './key-history.ts';
export { renewLogKey } from './renew-key.ts';
export { openLog, type AuditLog, type LogMemory, type NewEntry } from './log.ts';
export { isSignature, keyFingerprint, parseVerifierKey } from './note.ts';
export { auditSchema } from './schema.ts';
export { isTlogProof } from './tlog-proof.ts';
export { signatureCheck, signerCheck, verdictOf, type Check } from './verdict.ts';
