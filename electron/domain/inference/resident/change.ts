/** The smallest change of a record that changes the decision. */
import type { z } from 'zod';
import type { changeFacts } from '#shared/contract/records.ts';
import { searchChange, type Changeable, type ColumnChange } from '#domain/explain/index.ts';
import { readTexts, type PlannedColumn } from '#domain/pipeline/index.ts';
import type { ColumnData } from '#domain/tables/index.ts';
import { askedAbout } from './asked.ts';
import { takeRows } from './columns.ts';
import type { Answer } from './kinds.ts';
import type { RecordBody } from './predict.ts';
import type { RecordModel } from './record-model.ts';
import { requireThreshold } from './target.ts';

export interface ChangeBody extends RecordBody {
  readonly target?: string | undefined;
  readonly threshold?: number | undefined;
  readonly immutable: readonly string[];
  readonly mostColumns: number;
}

/** Values of a column of numbers that are tried at first: quantiles of the reference. */
const triedValues = 19;
const mostChoices = 50;
const mostPredictions = 60_000;

export const answer: Answer<ChangeBody, z.infer<typeof changeFacts>> = async (
  { body },
  context,
) => {
  const { model, record, target, value } = await askedAbout(body, context);
  const threshold = requireThreshold(body.threshold, { target, pipeline: context.pipeline });
  const reference = await model.reference();
  const fixed = new Set(body.immutable);
  const columns = model.fields.flatMap((field, column): Described[] => {
    const own = record[column];
    const others = reference.columns[column];
    if (fixed.has(field.name) || own === undefined || others === undefined) return [];
    const described = describe(field, own, others);
    return described === undefined ? [] : [{ ...described, column }];
  });
  const textOf = textsOf(columns);
  const wasAbove = value >= threshold;
  const search = await searchChange(
    { value, columns },
    {
      isWanted: (score) => !Number.isNaN(score) && score >= threshold !== wasAbove,
      progress: (score) => (wasAbove ? -score : score),
      mostColumns: body.mostColumns,
      mostPredictions,
      predict: (sets) => model.scores(changed(model, { record, sets, textOf }), target),
    },
  );
  const { found } = search;
  return {
    value: {
      target,
      value,
      threshold,
      status: found !== undefined ? 'found' : search.isComplete ? 'none' : 'stopped',
      changes: (found ?? []).map((each) => {
        const field = model.fields[each.column];
        return {
          column: field?.name ?? '',
          from: body.record[field?.name ?? ''] ?? null,
          to: textOf(each),
          unit: field?.facts?.unit ?? null,
        };
      }),
      changedValue: found === undefined ? null : search.value,
      distance: search.distance,
      predictions: search.predictions,
    },
  };
};

interface Described extends Changeable {
  /** What the numbers of a choice stand for. */
  readonly choices: readonly string[];
}

/** Undefined for a column of which the reference knows no other value, and for free text. */
function describe(
  { facts, as }: PlannedColumn,
  own: ColumnData,
  others: ColumnData,
): Omit<Described, 'column'> | undefined {
  if (as === 'number' || as === 'integer') {
    const known = numbersOf(others)
      .filter((number) => !Number.isNaN(number))
      .sort();
    if (known.length === 0) return undefined;
    const value = numbersOf(own)[0] ?? Number.NaN;
    const at = (share: number): number => known[Math.round(share * (known.length - 1))] ?? 0;
    const isWhole = as === 'integer' || known.every(Number.isInteger);
    const half = (at(0.84) - at(0.16)) / 2;
    const spread = half > 0 ? half : Math.max(Math.abs(at(1) - at(0)), isWhole ? 1 : 1e-6);
    const fine = 10 ** Math.floor(Math.log10(spread / 20));
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = facts ?? {};
    const shares = Array.from({ length: triedValues + 2 }, (_, place) => place / (triedValues + 1));
    const candidates = [...new Set(shares.map(at))].filter(
      (number) => number !== value && number >= min && number <= max,
    );
    return {
      kind: 'number',
      value,
      candidates,
      spread,
      step: isWhole ? Math.max(1, fine) : fine,
      choices: [],
    };
  }
  const seen = [...new Set(textValues(others))].filter((text) => text !== '');
  const choices = facts?.categories ?? (as === 'boolean' ? ['false', 'true'] : seen);
  if (choices.length > mostChoices) return undefined;
  const value = choices.indexOf(textValues(own)[0] ?? '');
  return {
    kind: 'choice',
    value,
    candidates: choices.map((_, place) => place).filter((place) => place !== value),
    spread: 1,
    step: 1,
    choices,
  };
}

function textsOf(columns: readonly Described[]): (change: ColumnChange) => string {
  const byColumn = new Map(columns.map((each) => [each.column, each]));
  return ({ column, to }) => {
    const described = byColumn.get(column);
    return described?.kind === 'choice' ? (described.choices[to] ?? '') : String(to);
  };
}

/** The record once for each set of changes, with these made; read like the record itself. */
function changed(
  model: RecordModel,
  facts: {
    readonly record: readonly ColumnData[];
    readonly sets: readonly (readonly ColumnChange[])[];
    readonly textOf: (change: ColumnChange) => string;
  },
): readonly ColumnData[] {
  const { record, sets, textOf } = facts;
  const rows = new Uint32Array(sets.length);
  const repeated = takeRows(record, rows);
  return repeated.map((column, place) => {
    const wanted = model.fields[place];
    const at = [...sets.keys()].filter(
      (set) => sets[set]?.some((each) => each.column === place) === true,
    );
    if (wanted === undefined || at.length === 0) return column;
    const texts = at.map((set) => {
      const change = sets[set]?.find((each) => each.column === place);
      return [change === undefined ? null : textOf(change)];
    });
    const [values] = readTexts([wanted], texts).columns;
    if (values === undefined) return column;
    const from = new Map(at.map((set, row) => [set, row]));
    return mergeColumn(column, values, from);
  });
}

/** `column` with the rows of `values` that `from` names in the places of its own. */
function mergeColumn(
  column: ColumnData,
  values: ColumnData,
  from: ReadonlyMap<number, number>,
): ColumnData {
  for (const [row, place] of from) {
    (column.values as unknown[])[row] = values.values[place];
    if (
      (column.kind === 'integer' || column.kind === 'boolean') &&
      (values.kind === 'integer' || values.kind === 'boolean') &&
      column.missing !== undefined
    )
      column.missing[row] = values.missing?.[place] ?? 0;
  }
  return column;
}

function numbersOf(column: ColumnData): Float64Array {
  if (column.kind === 'number') return column.values;
  if (column.kind !== 'integer') return new Float64Array();
  return Float64Array.from(column.values, (value, at) =>
    column.missing?.[at] === 1 ? Number.NaN : Number(value),
  );
}

function textValues(column: ColumnData): string[] {
  if (column.kind === 'text') return column.values.map((value) => value ?? '');
  if (column.kind === 'boolean')
    return Array.from(column.values, (value, at) =>
      column.missing?.[at] === 1 ? '' : String(value === 1),
    );
  return [];
}
