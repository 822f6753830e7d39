export { createInference, type Inference } from './inference.ts';
export { convertedPathOf, PartsLeft, partPathsOf, piecePathsOf } from './batch/part-files.ts';
export type { ScoreOutcome, ScoreResult } from './batch/score-file.ts';
export { batchJournal, ResumeRefused, type BatchJournal } from './batch/journal.ts';
export type { ModelPool, PooledModel } from './pool.ts';
export type { ModelFiles } from './open-files.ts';
