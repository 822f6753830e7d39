/** What the window's table of bindings shows: which column of a file goes where, an example, and what is wrong. */
import type { BindingRow } from '#shared/contract/runs.ts';
import { rejectMessages, type BadRow } from '#domain/tables/index.ts';
import { bindPipeline } from './bind.ts';
import type { PlanRequest } from './plan.ts';

export interface ExplainedBinding {
  readonly binding: readonly BindingRow[];
  readonly unusedColumns: readonly string[];
  /** Empty when the file can be scored. */
  readonly problems: readonly string[];
}

/** `sample`: what the first rows of the file hold, as they stand there, and what would reject them. */
export function explainBinding(
  request: Pick<PlanRequest, 'pipeline' | 'inputs' | 'columns'>,
  sample: { readonly example: (column: string) => string | null; readonly bad: readonly BadRow[] },
): ExplainedBinding {
  const { rows, unusedColumns, problems, missing } = bindPipeline(request);
  const codeByColumn = new Map(sample.bad.map(({ column, code }) => [column, code]));
  return {
    binding: rows.map(({ column, input, type, problem }) => {
      const code = codeByColumn.get(column);
      return {
        column,
        input,
        type,
        example: column === null ? null : sample.example(column),
        problem:
          problem ??
          (code === undefined || column === null
            ? null
            : `Some of the first rows would be rejected: ${rejectMessages[code]}`),
      };
    }),
    unusedColumns,
    problems: [...problems, ...missing.map((name) => `The file has no column ${name}.`)],
  };
}
