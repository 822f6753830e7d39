/** What can be said of a value before the core is asked: by the rules by which a file is read, in the words of a reject. */
import type { RecordForm } from '#shared/contract/records.ts';

type Field = RecordForm['fields'][number];

const numberText = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const integerText = /^[+-]?\d{1,25}(\.0*)?$/;

/** Code of the reject that the value would get; undefined when the core may take it. */
export function problemOf(field: Field, text: string): string | undefined {
  const value = text.trim();
  if (field.as === 'text') {
    const isKnown = value === '' || field.categories?.includes(text) !== false;
    return field.isStrict && !isKnown ? 'category' : undefined;
  }
  if (value === '') return field.as === 'number' ? undefined : 'missing';
  if (field.as === 'boolean') return /^(true|false)$/i.test(value) ? undefined : 'boolean';
  if (!(field.as === 'integer' ? integerText : numberText).test(value)) return field.as;
  return field.isStrict && isOutside(field, Number(value)) ? 'range' : undefined;
}

/** A value that is taken, and that the maker of the bundle does not expect. */
export function isUnusual(field: Field, text: string): boolean {
  const value = text.trim();
  if (value === '' || problemOf(field, text) !== undefined) return false;
  if (field.as === 'text') return field.categories?.includes(text) === false;
  return field.as !== 'boolean' && isOutside(field, Number(value));
}

function isOutside({ min, max }: Field, value: number): boolean {
  return (min !== null && value < min) || (max !== null && value > max);
}

/** `18 to 90 years`, `from 0 EUR`, `up to 5`. */
export function rangeOf({ min, max, unit }: Field): string {
  const end = unit === null ? '' : `\u00a0${unit}`;
  if (min !== null && max !== null) return `${min} to ${max}${end}`;
  if (min !== null) return `from ${min}${end}`;
  if (max !== null) return `up to ${max}${end}`;
  return unit ?? '';
}
