export {
  createInference,
  previewFile,
  type Inference,
  type ModelFiles,
  type ScoreResult,
} from './inference.ts';
