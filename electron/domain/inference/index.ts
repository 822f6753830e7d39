export {
  createInference,
  previewFile,
  rejectsPathOf,
  type FilePreview,
  type Inference,
  type InferenceOptions,
  type ModelFiles,
  type ScoreResult,
} from './inference.ts';
