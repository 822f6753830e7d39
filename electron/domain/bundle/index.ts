export { findBundles } from './discover.ts';
export { passGate, type GateResult } from './gate.ts';
export {
  goldenCases,
  pipelineSchema,
  type GoldenCases,
  type GoldenTensor,
  type Pipeline,
  type PipelineColumn,
} from './pipeline.ts';
export { wellKnown } from './read-file.ts';
export { generateSigningKey, signFolder } from './sign.ts';
export { checkSignature, type TrustAnchor } from './signature.ts';
