export { findBundles } from './discover.ts';
export { passGate, type GateResult } from './gate.ts';
export type { FindKnown, KnownFile } from './known-files.ts';
export {
  goldenCases,
  pipelineSchema,
  type GoldenCases,
  type GoldenTensor,
  type Pipeline,
  type PipelineColumn,
} from './pipeline.ts';
export { reportToSarif } from './sarif.ts';
export { digestOf, wellKnown, type Digested } from './read-file.ts';
export { checkSignatures, isSignatureFile, type CheckedSignatures } from './signatures/check.ts';
export { generateSigningKey, signFolder } from './signatures/sign.ts';
export { signVerdict, verdictStatement, type VerdictStatement } from './verdict.ts';
export type { TrustAnchor } from './signatures/signer.ts';
export { parseTrustedRoot } from './signatures/sigstore.ts';
