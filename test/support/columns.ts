/** Columns from single values, for tests that speak of rows. */
import type { ColumnData } from '#domain/tables/index.ts';

export type ProfiledValue = number | string | boolean | null;

/** The kind of the first value that is there. */
export function toColumn(values: readonly ProfiledValue[]): ColumnData {
  const first = values.find((value) => value !== null);
  if (typeof first === 'boolean')
    return {
      kind: 'boolean',
      values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)),
      missing: Uint8Array.from(values, (value) => (value === null ? 1 : 0)),
    };
  if (typeof first === 'number' || first === undefined)
    return {
      kind: 'number',
      values: Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value))),
    };
  return { kind: 'text', values: values.map((value) => (value === null ? null : String(value))) };
}
