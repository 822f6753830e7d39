/** What the window's table of bindings shows: which column of a file goes where, an example, and what is wrong. */
import type { BindingRow } from '#shared/contract/runs.ts';
import {
  rejectMessages,
  type BadRow,
  type Chunk,
  type WantedColumn,
} from '#domain/tables/index.ts';
import { bindPipeline } from './bind.ts';
import { wantedAs } from './draft.ts';
import { doWork, type PlanRequest } from './plan.ts';

export interface BindingPreview {
  /** As what the first rows are to be read; also of a file that does not fit. */
  readonly wanted: readonly WantedColumn[];
  /** Rows of a chunk of `wanted` that would be rejected, besides those that its reader named. */
  rejects(chunk: Chunk): Promise<readonly BadRow[]>;
  explain(sample: {
    /** What stands in the first row. */
    readonly example: (column: string) => string | null;
    readonly bad: readonly BadRow[];
  }): ExplainedBinding;
}

interface ExplainedBinding {
  readonly binding: readonly BindingRow[];
  readonly unusedColumns: readonly string[];
  /** Empty when the file can be scored. */
  readonly problems: readonly string[];
}

export function previewBinding(
  request: Pick<PlanRequest, 'pipeline' | 'inputs' | 'columns' | 'assets'>,
): BindingPreview {
  const bound = bindPipeline(request);
  const { rows, unusedColumns, problems, missing, sources } = bound;
  return {
    wanted: sources.map(wantedAs),
    rejects: async (chunk) => (await doWork(bound, chunk)).marks.found(),
    explain({ example, bad }) {
      const codeByColumn = new Map(bad.map(({ column, code }) => [column, code]));
      return {
        binding: rows.map(({ column, input, type, problem }) => {
          const code = column === null ? undefined : codeByColumn.get(column);
          return {
            column,
            input,
            type,
            example: column === null ? null : example(column),
            problem:
              problem ??
              (code === undefined
                ? null
                : `Some of the first rows would be rejected: ${rejectMessages[code]}`),
          };
        }),
        unusedColumns,
        problems: [...problems, ...missing.map((name) => `The file has no column ${name}.`)],
      };
    },
  };
}
