export { graph, model, node, tensor, valueInfo } from './build.ts';
export { createOutlineReader, parseModel, writeModel, type OutlineReader } from './model.ts';
export type {
  OnnxAttribute,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxSparseTensor,
  OnnxTensor,
} from './model.ts';
export { modelFactsOf, modelSignature, tensorBytes, tensorTypes } from './signature.ts';
