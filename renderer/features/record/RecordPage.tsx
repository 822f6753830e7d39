import { useRef, useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { Explanation, Prediction, RecordForm } from '#shared/contract/records.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { useMay } from '../../app/session.ts';
import { toAppError } from '../../app/store.ts';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { ChangePanel } from './ChangePanel.tsx';
import { problemOf } from './check.ts';
import { Contributions, type ExplainedState } from './Contributions.tsx';
import { ReasonsPanel } from './ReasonsPanel.tsx';
import { RecordFields } from './RecordFields.tsx';
import { ResultPanel } from './ResultPanel.tsx';

/** A form of more fields helps nobody. */
const mostFields = 1000;
/** The first explanation comes at once, the second is what stays. */
const refinements = [200, 1000];

export type Texts = Readonly<Record<string, string>>;

/** One record: what goes in, what comes out, why, and what would change it. */
export function RecordPage({ version }: { readonly version: string }) {
  const form = useQuery(`form ${version}`, () => client.records.form({ version }), []);
  return (
    <Loaded query={form}>
      {(shown) =>
        shown.fields.length > mostFields ? (
          <Page title={titleOf(shown)}>
            <Panel>
              <Empty title={`${shown.fields.length} columns are too many for a form`}>
                Predict such a record on the command line, from a JSON file: strongroom predict{' '}
                {shown.model} --record FILE.
              </Empty>
            </Panel>
          </Page>
        ) : (
          <RecordForms form={shown} />
        )
      }
    </Loaded>
  );
}

const titleOf = ({ model, version }: RecordForm): string => `One record for ${model}@${version}`;

interface Asked {
  readonly record: Readonly<Record<string, string | null>>;
  readonly prediction: Prediction;
}

function RecordForms({ form }: { readonly form: RecordForm }) {
  const version = `${form.model}@${form.version}`;
  const may = useMay();
  const [texts, setTexts] = useState<Texts>({});
  const [example, setExample] = useState('');
  const [problems, setProblems] = useState<Texts>({});
  const [asked, setAsked] = useState<Asked>();
  const [explained, setExplained] = useState<ExplainedState>();
  const current = useRef(0);
  const answers = useRef<HTMLDivElement>(null);
  const act = useAct();

  const change = (name: string, text: string): void => {
    setTexts((before) => ({ ...before, [name]: text }));
    setProblems((before) =>
      Object.fromEntries(Object.entries(before).filter(([key]) => key !== name)),
    );
  };
  const fill = (name: string): void => {
    setExample(name);
    const record = form.examples.find((each) => each.name === name)?.record;
    if (record === undefined) return;
    setTexts(Object.fromEntries(Object.entries(record).map(([key, text]) => [key, text ?? ''])));
    setProblems({});
  };
  const explain = async (record: Asked['record'], turn: number): Promise<void> => {
    let last: Explanation | undefined;
    try {
      for (const permutations of refinements) {
        setExplained({ explanation: last, pending: true });
        last = await client.records.explain({ version, record, permutations });
        if (current.current !== turn) return;
        if (last.method !== 'sampling') break;
      }
      setExplained({ explanation: last, pending: false });
    } catch (caught) {
      if (current.current !== turn) return;
      setExplained({ explanation: last, pending: false, error: toAppError(caught) });
    }
  };
  const predict = (): void => {
    const found = Object.fromEntries(
      form.fields.flatMap((field) => {
        const code = problemOf(field, texts[field.name] ?? '');
        return code === undefined ? [] : [[field.name, form.messages[code] ?? code]];
      }),
    );
    setProblems(found);
    const [first] = Object.keys(found);
    if (first !== undefined) {
      document.getElementsByName(first)[0]?.focus();
      return;
    }
    const record = Object.fromEntries(
      form.fields.map(({ name }) => [
        name,
        (texts[name] ?? '').trim() === '' ? null : (texts[name] ?? null),
      ]),
    );
    const turn = (current.current += 1);
    void act.run(async () => {
      try {
        const prediction = await client.records.predict({ version, record });
        setAsked({ record, prediction });
        // On a narrow screen the answers stand below the form.
        answers.current?.scrollIntoView({ block: 'nearest' });
        setExplained(undefined);
        if (form.hasReference && prediction.value !== null) void explain(record, turn);
      } catch (caught) {
        const { details, code } = toAppError(caught);
        const column = details?.['column'];
        if (code === 'invalid-input' && typeof column === 'string')
          setProblems({ [column]: form.messages[String(details?.['code'])] ?? '' });
        throw caught;
      }
    });
  };
  return (
    <Page
      title={titleOf(form)}
      action={
        <>
          <Button onClick={() => go('run', version)}>A file instead</Button>
          {form.threshold === null ? null : (
            <Button onClick={() => go('run', 'reasons', version)}>Texts of reasons</Button>
          )}
          <Button
            submit
            form="record"
            kind="primary"
            disabled={act.pending || !may(contract.records.predict)}
          >
            {act.pending ? 'Predicting…' : 'Predict'}
          </Button>
        </>
      }
    >
      <div className="record">
        <form
          id="record"
          className="stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            predict();
          }}
        >
          <Panel
            title="Record"
            action={
              form.examples.length === 0 ? null : (
                <select
                  className="example"
                  aria-label="Fill in an example"
                  value={example}
                  onChange={(event) => fill(event.currentTarget.value)}
                >
                  <option value="">Fill in an example…</option>
                  {form.examples.map(({ name }) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              )
            }
          >
            <RecordFields
              fields={form.fields}
              texts={texts}
              problems={problems}
              onChange={change}
            />
          </Panel>
          <p className="quiet small">
            The log holds a salted commitment in place of the record, and never the record.
          </p>
        </form>
        <div className="stack answers" ref={answers}>
          <ErrorNotice error={act.error} />
          {asked === undefined ? (
            <Panel>
              <Empty title="No prediction yet">
                Fill in the record, or take an example, and predict.
              </Empty>
            </Panel>
          ) : (
            <Results
              key={asked.prediction.logIndex}
              form={form}
              asked={asked}
              explained={explained}
            />
          )}
        </div>
      </div>
    </Page>
  );
}

function Results({
  form,
  asked: { record, prediction },
  explained,
}: {
  readonly form: RecordForm;
  readonly asked: Asked;
  readonly explained: ExplainedState | undefined;
}) {
  const version = `${form.model}@${form.version}`;
  const decides = prediction.threshold !== null && prediction.value !== null;
  return (
    <>
      <ResultPanel prediction={prediction} />
      {form.hasReference ? null : (
        <Notice tone="accent" title="Not explained">
          The bundle has no reference.csv that fits the model, and without rows to compare with
          nothing can be explained.
        </Notice>
      )}
      {explained === undefined ? null : <Contributions state={explained} />}
      {decides && form.hasReference ? (
        <>
          <ChangePanel version={version} record={record} fields={form.fields} />
          <ReasonsPanel version={version} record={record} />
        </>
      ) : null}
    </>
  );
}
