export { graph, model, node, tensor, valueInfo, type AttributeValue } from './build.ts';
export {
  createOutlineReader,
  parseModel,
  parseOptional,
  parseSequence,
  parseTensor,
  writeModel,
} from './model.ts';
export type {
  OnnxAttribute,
  OnnxEntry,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxSparseTensor,
  OnnxTensor,
  OnnxType,
  OnnxValueInfo,
} from './model.ts';
export { attributeOf, isStandard } from './nodes.ts';
export { smallIntegers, tagOf } from './unread.ts';
export type { Unknown } from './wire.ts';
export { mapKeys, modelFactsOf, modelSignature, tensorBytes, tensorTypes } from './signature.ts';
export { heldAs, newArray, type TensorArray, type TensorData } from './tensor.ts';
export { tensorToData } from './tensor-values.ts';
