/** Short ways to a plan and to what it makes of a few rows. */
import type { TensorSpec } from '#shared/contract/bundles.ts';
import {
  pipelineSchema,
  planPipeline,
  type Feeds,
  type Plan,
  type PlanRequest,
} from '#domain/pipeline/index.ts';
import type { BadRow, Chunk, ColumnData } from '#domain/tables/index.ts';

export function spec(name: string, type: string, shape: TensorSpec['shape']): TensorSpec {
  return { name, kind: 'tensor', type, shape };
}

export function texts(names: readonly string[]): PlanRequest['columns'] {
  return names.map((name) => ({ name, type: 'text' }));
}

export function plan(
  inputs: readonly TensorSpec[],
  header: readonly string[],
  more: Partial<PlanRequest> = {},
): Plan {
  return planPipeline({
    pipeline: undefined,
    inputs,
    outputs: [],
    labelsByOutput: new Map(),
    columns: texts(header),
    ...more,
  });
}

export function chunk(columns: readonly ColumnData[], bad: readonly BadRow[] = []): Chunk {
  return { firstRow: 1, rows: columns[0]?.values.length ?? 0, columns, bad, raw: undefined };
}

export function numbers(...values: number[]): ColumnData {
  return { kind: 'number', values: Float64Array.from(values) };
}

export function text(...values: (string | null)[]): ColumnData {
  return { kind: 'text', values };
}

/** What steps make of the columns of a file: one input per name of `inputs`, doubles unless it says otherwise. */
export async function stepped(
  steps: readonly unknown[],
  columns: Readonly<Record<string, ColumnData>>,
  inputs: readonly (string | TensorSpec)[],
  more: Partial<PlanRequest> = {},
): Promise<{ readonly feeds: Feeds; readonly columns: Readonly<Record<string, unknown>> }> {
  const made = plan(
    inputs.map((input) => (typeof input === 'string' ? spec(input, 'double', ['N']) : input)),
    Object.keys(columns),
    { pipeline: pipelineSchema.parse({ schemaVersion: 2, steps }), ...more },
  );
  const feeds = await made.toFeeds(chunk(made.wanted.map(({ name }) => columns[name] ?? text())));
  return {
    feeds,
    columns: Object.fromEntries(
      Object.entries(feeds.tensors).map(([name, { data }]) => [name, [...data]]),
    ),
  };
}
