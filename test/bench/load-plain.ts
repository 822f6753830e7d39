/** A child that loads a model by its path, with the options that the product uses, and ends: what plain files would cost. */
import * as ort from 'onnxruntime-node';

const [, , path = ''] = process.argv;
await ort.InferenceSession.create(path, {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
process.exit(0);
