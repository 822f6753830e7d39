export { atMost, pipelineSchema, type Pipeline, type PipelineColumn } from './schema.ts';
export type { Feeds, Plan, PlannedColumn } from './plan.ts';
