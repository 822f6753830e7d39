export {
  createInference,
  partPathsOf,
  previewFile,
  type Inference,
  type ModelFiles,
  type ScoreResult,
} from './inference.ts';
export type { ScoreOutcome } from './protocol.ts';
