export { atMost, pipelineSchema, type Pipeline, type PipelineColumn } from './schema.ts';
export { explainBinding, type ExplainedBinding } from './explain-binding.ts';
export {
  planPipeline,
  type Feeds,
  type Plan,
  type PlannedColumn,
  type PlanRequest,
} from './plan.ts';
