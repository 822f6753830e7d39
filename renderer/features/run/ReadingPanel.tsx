import type { Dialect, Preview } from '#shared/contract/runs.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Panel } from '../../ui/Panel.tsx';

type Choices<K extends keyof Dialect> = readonly (readonly [value: Dialect[K], word: string])[];

const delimiters: Choices<'delimiter'> = [
  [',', 'comma'],
  [';', 'semicolon'],
  ['\t', 'tab'],
  ['|', 'vertical bar'],
  [' ', 'space'],
];
const encodings: Choices<'encoding'> = [
  ['utf-8', 'UTF-8'],
  ['windows-1252', 'Windows-1252 (Western Europe)'],
  ['iso-8859-1', 'ISO 8859-1 (Latin-1)'],
  ['utf-16le', 'UTF-16, low byte first'],
  ['utf-16be', 'UTF-16, high byte first'],
];
const decimals: Choices<'decimal'> = [
  ['.', 'point'],
  [',', 'comma'],
];

/** How a CSV was understood, and a way to say it better. `asked` is what somebody has said. */
export function ReadingPanel({
  found,
  asked,
  onAsk,
}: {
  readonly found: Preview['dialect'];
  readonly asked: Partial<Dialect>;
  readonly onAsk: (asked: Partial<Dialect>) => void;
}) {
  const isAsked = Object.keys(asked).length > 0;
  const select = <K extends keyof Dialect>(key: K, label: string, choices: Choices<K>) => {
    const value = asked[key] ?? found?.[key];
    const isKnown = choices.some(([each]) => each === value);
    return (
      <Field label={label}>
        <select
          value={choices.findIndex(([each]) => each === value)}
          onChange={(event) => {
            const choice = choices[Number(event.currentTarget.value)];
            if (choice !== undefined) onAsk({ ...asked, [key]: choice[0] });
          }}
        >
          {isKnown ? null : <option value={-1}>{value ?? 'not known yet'}</option>}
          {choices.map(([, word], at) => (
            <option key={word} value={at}>
              {word}
            </option>
          ))}
        </select>
      </Field>
    );
  };
  return (
    <Panel
      title="How the file is read"
      action={
        isAsked ? (
          <Button size="small" onClick={() => onAsk({})}>
            Tell it from the file again
          </Button>
        ) : (
          <span className="quiet small">told from the file</span>
        )
      }
    >
      <div className="columns">
        {select('delimiter', 'Columns are divided by', delimiters)}
        {select('decimal', 'Decimals begin with', decimals)}
        {select('encoding', 'Encoding', encodings)}
      </div>
    </Panel>
  );
}
