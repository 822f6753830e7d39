export {
  createInference,
  partPathsOf,
  previewFile,
  type Inference,
  type ScoreResult,
} from './inference.ts';
export type { ModelPool, PooledModel } from './pool.ts';
export type { ResidentReply, ResidentRequest } from './resident/connection.ts';
export type { ModelFiles } from './open-files.ts';
export type { ScoreOutcome } from './protocol.ts';
