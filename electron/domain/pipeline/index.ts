export { declaredType, pipelineSchema, type Pipeline } from './schema.ts';
export { atMost } from './steps/step.ts';
export { assetsOf, checkAssets, pipelineFaults } from './check.ts';
export { withSignature, type Signature } from './signature.ts';
export { neededColumns } from './needed-columns.ts';
export { previewBinding } from './preview-binding.ts';
export { inferPipeline } from './infer.ts';
export {
  findOutside,
  planPipeline,
  type Feeds,
  type Plan,
  type PlannedColumn,
  type PlanRequest,
} from './plan.ts';
export { readColumns, readTexts } from './read-texts.ts';
