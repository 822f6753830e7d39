export { findBundles, type DiscoveredBundle } from './discover.ts';
export { passGate, wellKnown, type GateResult, type PassedFile } from './gate.ts';
export {
  goldenCases,
  pipelineSchema,
  type GoldenCases,
  type GoldenTensor,
  type Pipeline,
  type PipelineColumn,
} from './pipeline.ts';
export { generateSigningKey, signFolder } from './sign.ts';
export { checkSignature, signatureFileName, type TrustAnchor } from './signature.ts';
