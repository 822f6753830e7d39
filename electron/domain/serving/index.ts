export {
  countRows,
  createRequestQueue,
  isJoinable,
  type RequestQueue,
  type Tensors,
} from './batching.ts';
export { inferReply, parseInferRequest, type ServedModel } from './infer.ts';
export { parseJson } from './json-data.ts';
export { modelMetadata, repositoryIndex, serverMetadata } from './metadata.ts';
export { readRoute, servedName, type Form, type InferRoute, type LookRoute } from './routes.ts';
export { createStatistics, type FailureReason, type Statistics } from './statistics.ts';
