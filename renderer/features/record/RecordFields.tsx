import { useId } from 'react';
import type { RecordForm } from '#shared/contract/records.ts';
import { isUnusual, rangeOf } from './check.ts';
import type { Texts } from './RecordPage.tsx';

type FieldFacts = RecordForm['fields'][number];

/** A field for each column, as its type and the pipeline say. */
export function RecordFields({
  fields,
  texts,
  problems,
  onChange,
}: {
  readonly fields: readonly FieldFacts[];
  readonly texts: Texts;
  readonly problems: Texts;
  readonly onChange: (name: string, text: string) => void;
}) {
  return (
    <div className="record-fields">
      {fields.map((field) => (
        <OneField
          key={field.name}
          field={field}
          text={texts[field.name] ?? ''}
          problem={problems[field.name]}
          onChange={(text) => onChange(field.name, text)}
        />
      ))}
    </div>
  );
}

function OneField({
  field,
  text,
  problem,
  onChange,
}: {
  readonly field: FieldFacts;
  readonly text: string;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const id = useId();
  const choices = choicesOf(field, text);
  const range = rangeOf(field);
  const unusual = isUnusual(field, text);
  const described = { 'aria-describedby': `${id}-hint`, 'aria-invalid': problem !== undefined };
  return (
    <div className="field">
      <label htmlFor={id} className="wrap-anywhere">
        {field.description ?? field.name}
        {field.description === null ? null : <small className="machine-name">{field.name}</small>}
      </label>
      {choices === undefined ? (
        <input
          id={id}
          name={field.name}
          value={text}
          inputMode={field.as === 'text' ? 'text' : field.as === 'integer' ? 'numeric' : 'decimal'}
          autoComplete="off"
          maxLength={10_000}
          onChange={(event) => onChange(event.currentTarget.value)}
          {...described}
        />
      ) : (
        <select
          id={id}
          name={field.name}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value)}
          {...described}
        >
          <option value="">–</option>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )}
      <span
        className="hint"
        id={`${id}-hint`}
        data-tone={problem !== undefined ? 'act' : unusual ? 'watch' : undefined}
      >
        {problem ??
          (unusual ? `Unusual: expected ${range === '' ? 'another value' : range}` : range)}
      </span>
    </div>
  );
}

/** What can be chosen; a value that an example brings is among them. */
function choicesOf({ as, categories }: FieldFacts, text: string): readonly string[] | undefined {
  if (as === 'boolean') return ['true', 'false'];
  if (as !== 'text' || categories === null) return undefined;
  return text === '' || categories.includes(text) ? categories : [...categories, text];
}
