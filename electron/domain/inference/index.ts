export {
  createInference,
  partPathsOf,
  previewFile,
  type Inference,
  type ModelFiles,
  type ScoreResult,
} from './inference.ts';
