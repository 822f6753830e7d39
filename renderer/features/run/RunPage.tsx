import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { ModelSummary } from '#shared/contract/models.ts';
import type { RunResult } from '#shared/contract/runs.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { JobProgress } from '../../app/JobProgress.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { finished, useAct, useOperation } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { PlaceField } from '../../ui/PlaceField.tsx';
import { BindingSource } from './BindingSource.tsx';
import { BindingTable } from './BindingTable.tsx';
import { FirstRows } from './FirstRows.tsx';
import { outputWords, tableEnding } from './format-words.ts';
import { ReadingPanel, toldFromFile } from './ReadingPanel.tsx';

const outputFormats = ['csv', 'parquet', 'jsonl', 'arrow'] as const;

/** Version, file, binding, start. */
export function RunPage({ version: asked }: { readonly version: string | undefined }) {
  const models = useQuery('models', () => client.models.list(null), ['models']);
  return (
    <Loaded query={models}>
      {(list) => {
        const runnable = list.filter(
          ({ latest, production }) =>
            production !== null || latest.stage === 'candidate' || latest.stage === 'approved',
        );
        return runnable.length === 0 ? (
          <Page title="Run">
            <Panel>
              <Empty
                title="Nothing that may run"
                action={<Button onClick={() => go('media')}>Look at removable media</Button>}
              >
                Import a bundle first. A version in quarantine may run after somebody has promoted
                it to candidate.
              </Empty>
            </Panel>
          </Page>
        ) : (
          <RunForm models={runnable} asked={asked} />
        );
      }}
    </Loaded>
  );
}

function RunForm({
  models,
  asked,
}: {
  readonly models: readonly ModelSummary[];
  readonly asked: string | undefined;
}) {
  const fits =
    asked !== undefined &&
    models.some(({ name: model }) => asked === model || asked.startsWith(`${model}@`));
  const [version, setVersion] = useState((fits ? asked : models[0]?.name) ?? '');
  const [input, setInput] = useState<PickedPlace>();
  const [folder, setFolder] = useState<PickedPlace>();
  const [typedName, setName] = useState<string>();
  const [outputFormat, setOutputFormat] = useState<RunResult['outputFormat']>('csv');
  const name = typedName ?? nameFor(input, outputFormat);
  const [reading, setReading] = useState(toldFromFile);
  const [keepColumns, setKeepColumns] = useState(false);
  const [keep, setKeep] = useState(false);
  const [subject, setSubject] = useState('');
  const [picking, setPicking] = useState<'input' | 'folder'>();
  const [job, setJob] = useState<string>();
  const operation = useOperation(job);
  const act = useAct();
  const preview = useQuery(
    `preview ${version} ${input?.token ?? ''} ${JSON.stringify(reading)}`,
    () =>
      input === undefined
        ? Promise.resolve(undefined)
        : client.runs.preview({ version, input: input.token, ...reading }),
    ['models'],
  );
  const ready =
    input !== undefined &&
    folder !== undefined &&
    name !== '' &&
    preview.data !== undefined &&
    preview.data.problems.length === 0;
  const missing = [
    ...(input === undefined ? ['a file'] : []),
    ...(folder === undefined ? ['a folder for the result'] : []),
    ...(name === '' ? ['a name for the result'] : []),
  ];
  const start = (): void => {
    if (input === undefined || folder === undefined) return;
    const names = keep && preview.data?.unusedColumns.includes(subject) === true;
    const request = {
      version,
      input: input.token,
      folder: folder.token,
      name,
      ...reading,
      outputFormat,
      keepColumns,
      keep,
      ...(names ? { subject } : {}),
    };
    void act.run(async () => {
      const result = await finished(contract.runs.start, client.runs.start(request), setJob);
      go('run', 'result', result.runId);
    });
  };
  return (
    <Page
      title="Run"
      action={
        <>
          {act.pending || missing.length === 0 ? null : (
            <span className="quiet small">{`Still to choose: ${missing.join(', ')}`}</span>
          )}
          <Button onClick={() => go('run', 'record', version)}>One record</Button>
          <Button kind="primary" disabled={!ready || act.pending} onClick={start}>
            {act.pending ? 'Running…' : 'Start run'}
          </Button>
        </>
      }
    >
      <ErrorNotice error={act.error} />
      {asked === undefined || fits ? null : (
        <Notice tone="watch" title={`${asked} may not run`}>
          No version of it is a candidate, approved or in production. Another model is chosen below.
        </Notice>
      )}
      {operation?.state === 'running' ? (
        <Panel title="Running">
          <JobProgress operation={operation} />
        </Panel>
      ) : null}
      <Panel title="What to run, on what, and where the result goes">
        <div className="columns">
          <Field label="Model" hint="The version in production, else the newest that may run.">
            <select value={version} onChange={(event) => setVersion(event.currentTarget.value)}>
              {models.flatMap((model) => [
                <option key={model.name} value={model.name}>
                  {`${model.name} (@${model.production ?? model.latest.version})`}
                </option>,
                ...(asked !== undefined && asked.startsWith(`${model.name}@`)
                  ? [<option key={asked}>{asked}</option>]
                  : []),
              ])}
            </select>
          </Field>
          <PlaceField
            label="File or folder to score"
            what="file"
            chosen={input?.name}
            hint="CSV, Parquet, JSON Lines, Arrow, or a folder of images or texts."
            onChoose={() => setPicking('input')}
          />
          <PlaceField
            label="Folder for the result"
            what="folder"
            chosen={folder?.path}
            hint="Nothing there is overwritten."
            onChoose={() => setPicking('folder')}
          />
          <Field label="Format of the result">
            <select
              value={outputFormat}
              onChange={(event) => {
                const chosen = outputFormats.find((each) => each === event.currentTarget.value);
                if (chosen !== undefined) setOutputFormat(chosen);
              }}
            >
              {outputFormats.map((each) => (
                <option key={each} value={each}>
                  {outputWords[each]}
                </option>
              ))}
            </select>
          </Field>
          <Field label="Name of the result" hint="Rejected rows and a signed receipt go beside it.">
            <input
              value={name}
              maxLength={200}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          </Field>
          <label className="check">
            <input
              type="checkbox"
              checked={keepColumns}
              onChange={(event) => setKeepColumns(event.currentTarget.checked)}
            />
            Keep the columns of the file in the result
          </label>
          <label className="check">
            <input
              type="checkbox"
              checked={keep}
              onChange={(event) => setKeep(event.currentTarget.checked)}
            />
            Keep input and predictions in the vault, encrypted, with the run
          </label>
          {keep && preview.data !== undefined ? (
            <Field
              label="Column that tells whom a row is about"
              hint="With it, the rows of one person can be erased later and all others stay; without it the files are kept whole."
            >
              <select value={subject} onChange={(event) => setSubject(event.currentTarget.value)}>
                <option value="">As the bundle says, else none</option>
                {preview.data.unusedColumns.map((column) => (
                  <option key={column}>{column}</option>
                ))}
              </select>
            </Field>
          ) : null}
        </div>
      </Panel>
      {input === undefined ? null : (
        <ReadingPanel found={preview.data} asked={reading} onAsk={setReading} />
      )}
      <BindingSource
        version={version}
        input={input?.token}
        reading={reading}
        preview={preview.data}
      />
      {input === undefined ? (
        <Panel>
          <Empty title="No file yet">
            Choose a file, and its columns are shown beside the inputs of the model before anything
            runs.
          </Empty>
        </Panel>
      ) : (
        <Loaded query={preview}>
          {(shown) =>
            shown === undefined ? null : (
              <>
                <BindingTable preview={shown} />
                <FirstRows preview={shown} />
              </>
            )
          }
        </Loaded>
      )}
      {picking === 'input' ? (
        <FileDialog
          title="File or folder to score"
          pick="either"
          ending={tableEnding}
          onPick={(place) => {
            setInput(place);
            setReading(toldFromFile);
          }}
          onClose={() => setPicking(undefined)}
        />
      ) : null}
      {picking === 'folder' ? (
        <FileDialog
          title="Folder for the result"
          pick="folder"
          onPick={setFolder}
          onClose={() => setPicking(undefined)}
        />
      ) : null}
    </Page>
  );
}

/** Named after what goes in, so that the results of two months do not meet. */
function nameFor(input: PickedPlace | undefined, outputFormat: RunResult['outputFormat']): string {
  return input === undefined
    ? `predictions.${outputFormat}`
    : `${input.name.replace(/\.[^.]*$/, '')}.predictions.${outputFormat}`;
}
