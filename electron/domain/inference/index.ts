export {
  createInference,
  partPathsOf,
  previewFile,
  type Inference,
  type ScoreResult,
} from './inference.ts';
export type { ModelFiles } from './open-files.ts';
export type { ScoreOutcome } from './protocol.ts';
