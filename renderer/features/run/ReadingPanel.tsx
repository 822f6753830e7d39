import type { Dialect, Preview } from '#shared/contract/runs.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { formatWords } from './format-words.ts';

/** What somebody has said of how a file is written; the rest is told from it. */
export interface Reading {
  readonly format?: Preview['format'];
  readonly dialect: Partial<Dialect>;
}

export const toldFromFile: Reading = { dialect: {} };

type Choices<Value> = readonly (readonly [value: Value, word: string])[];

const delimiters: Choices<Dialect['delimiter']> = [
  [',', 'comma'],
  [';', 'semicolon'],
  ['\t', 'tab'],
  ['|', 'vertical bar'],
  [' ', 'space'],
];
const quotes: Choices<Dialect['quote']> = [
  ['"', 'double quotes'],
  ["'", 'single quotes'],
  [null, 'none: quotes mean nothing'],
];
const encodings: Choices<Dialect['encoding']> = [
  ['utf-8', 'UTF-8'],
  ['windows-1252', 'Windows-1252 (Western Europe)'],
  ['iso-8859-1', 'ISO 8859-1 (Latin-1)'],
  ['utf-16le', 'UTF-16, low byte first'],
  ['utf-16be', 'UTF-16, high byte first'],
];
const decimals: Choices<Dialect['decimal']> = [
  ['.', 'point'],
  [',', 'comma'],
];
const files = ['csv', 'parquet', 'jsonl', 'arrow'] as const;
const folders = ['images', 'texts'] as const;

/** How a file was understood, and a way to say it better. */
export function ReadingPanel({
  found,
  asked,
  onAsk,
}: {
  /** Undefined while it is looked at, and when it cannot be read as what it is said to be. */
  readonly found: Pick<Preview, 'format' | 'dialect'> | undefined;
  readonly asked: Reading;
  readonly onAsk: (asked: Reading) => void;
}) {
  const isAsked = asked.format !== undefined || Object.keys(asked.dialect).length > 0;
  const format = asked.format ?? found?.format;
  const isFolder = format === 'images' || format === 'texts';
  const formats = (isFolder ? folders : files).map(
    (each) => [each, formatWords[each].input] as const,
  );
  const isDivided = format === 'csv' || (format === undefined && isAsked);
  const told = found?.dialect ?? undefined;
  const say = <K extends keyof Dialect>(key: K, label: string, choices: Choices<Dialect[K]>) => (
    <Choice
      label={label}
      choices={choices}
      value={key in asked.dialect ? asked.dialect[key] : told?.[key]}
      onChoose={(value) => onAsk({ ...asked, dialect: { ...asked.dialect, [key]: value } })}
    />
  );
  return (
    <Panel
      title={isFolder ? 'How the folder is read' : 'How the file is read'}
      action={
        isAsked ? (
          <Button size="small" onClick={() => onAsk(toldFromFile)}>
            Tell it from the file again
          </Button>
        ) : (
          <span className="quiet small">told from the file</span>
        )
      }
    >
      <div className="columns" {...(isDivided ? {} : { 'data-of': 2 })}>
        <Choice
          label="Read as"
          choices={formats}
          value={format}
          onChoose={(chosen) => onAsk({ format: chosen, dialect: {} })}
        />
        {isDivided ? (
          <>
            {say('delimiter', 'Columns are divided by', delimiters)}
            {say('quote', 'Texts stand in', quotes)}
            {say('decimal', 'Decimals begin with', decimals)}
            {say('encoding', 'Encoding', encodings)}
          </>
        ) : null}
      </div>
    </Panel>
  );
}

function Choice<Value extends string | null>({
  label,
  choices,
  value,
  onChoose,
}: {
  readonly label: string;
  readonly choices: Choices<Value>;
  readonly value: Value | undefined;
  readonly onChoose: (value: Value) => void;
}) {
  const chosen = choices.findIndex(([each]) => each === value);
  return (
    <Field label={label}>
      <select
        value={chosen}
        onChange={(event) => {
          const choice = choices[Number(event.currentTarget.value)];
          if (choice !== undefined) onChoose(choice[0]);
        }}
      >
        {chosen >= 0 ? null : <option value={-1}>{value ?? 'not known yet'}</option>}
        {choices.map(([, word], at) => (
          <option key={word} value={at}>
            {word}
          </option>
        ))}
      </select>
    </Field>
  );
}
