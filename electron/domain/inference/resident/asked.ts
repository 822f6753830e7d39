/** In the child: what every question about one prediction begins with. */
import type { ColumnData } from '#domain/tables/index.ts';
import type { ResidentContext } from './kinds.ts';
import type { RecordBody } from './predict.ts';
import { recordModel, type RecordModel } from './record-model.ts';
import { requireTarget, valueOf } from './target.ts';

export interface Asked {
  readonly model: RecordModel;
  /** The record, a column of one row for each field. */
  readonly record: readonly ColumnData[];
  /** Which number of the output is asked about. */
  readonly target: string;
  readonly value: number;
}

/** Throws `invalid-input` for a record that cannot be predicted, or a target that the model does not give. */
export async function askedAbout(
  { record, target: wanted }: RecordBody & { readonly target?: string | undefined },
  context: ResidentContext,
): Promise<Asked> {
  const model = await recordModel(context);
  const chunk = model.read(record);
  const outputs = await model.predictRecord(chunk);
  const target = requireTarget(wanted, { outputs, pipeline: context.pipeline });
  return { model, record: chunk.columns, target, value: valueOf(outputs, target) };
}
