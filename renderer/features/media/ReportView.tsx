import type { ReactNode } from 'react';
import type { InspectReport } from '#shared/contract/bundles.ts';
import { bytes } from '#shared/words.ts';
import { capital, count, listed, plural } from '../../lib/format.ts';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State, ToneIcon } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { formatWord } from '../../ui/words.ts';
import { Findings } from './Findings.tsx';
import { Signatures } from './Signatures.tsx';

/** The headline with its reason, then four columns: who signed it, what is inside, what was found, what will happen. */
export function ReportView({
  report,
  mayOverride,
  stored,
}: {
  readonly report: InspectReport;
  /** Does the policy let a second person take the responsibility? */
  readonly mayOverride: boolean;
  /** The version that these very files are already, if they are. */
  readonly stored: string | undefined;
}) {
  const { tone, headline, reason, steps } = judge(report, mayOverride, stored);
  const reused = new Map(report.reused.map(({ path, from }) => [path, from]));
  const { findings, files } = report;
  return (
    <>
      <div className="verdict" data-tone={tone}>
        <div className="row">
          <span className="tone" data-tone={tone}>
            <ToneIcon tone={tone} />
          </span>
          <h2>{headline}</h2>
        </div>
        <p>{reason}</p>
      </div>
      <div className="columns" data-of="4">
        <Panel title="Who signed it">
          <Signatures report={report} />
        </Panel>
        <Panel title="What is inside">
          <div className="stack">
            {report.card?.description == null ? null : (
              <p className="quiet small">{report.card.description}</p>
            )}
            <Facts rows={inside(report)} />
            {report.declares.length === 0 ? null : (
              <>
                <p className="quiet small">The bundle says of itself, unverified:</p>
                <Facts rows={report.declares.map(({ name, value }) => [name, value])} />
              </>
            )}
          </div>
        </Panel>
        <Panel title="What was found">
          <Findings findings={findings} />
        </Panel>
        <Panel title="What will happen">
          <ol className="steps" data-single={steps.length === 1 || undefined}>
            {steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </Panel>
      </div>
      {files.length === 0 ? null : (
        <Panel title={`${plural(files.length, 'file')}, ${bytes(report.totalBytes)}`} flush>
          <Table
            label="Files"
            columns={[{ title: 'Path' }, { title: 'Size', align: 'number' }, { title: 'Digest' }]}
            rows={files.map((file) => ({
              key: file.path,
              cells: [
                <span key="path" className="row">
                  <span className="mono wrap-anywhere">{file.path}</span>
                  {reused.has(file.path) ? (
                    <State tone="accent">
                      {reused.get(file.path) === 'vault' ? 'from the vault' : 'read before'}
                    </State>
                  ) : null}
                </span>,
                bytes(file.bytes),
                <Digest key="digest" value={`sha256:${file.sha256}`} />,
              ],
            }))}
          />
        </Panel>
      )}
    </>
  );
}

function inside(report: InspectReport): readonly (readonly [string, ReactNode])[] {
  const { model, card } = report;
  return [
    ['Form', capital(formatWord(report.format))],
    ['Model', model === null ? 'none that can be read' : model.path],
    ...(model === null
      ? []
      : ([
          ['Inputs', plural(model.inputs.length, 'input')],
          ['Outputs', listed(model.outputs.map(({ name }) => name))],
          ['Graph', plural(model.nodes, 'node')],
        ] as const)),
    ['Card', card === null ? 'none' : `${card.name ?? ''} ${card.version ?? ''}`.trim()],
    ['Golden', report.goldenCases === 0 ? 'no vectors' : `${count(report.goldenCases)} vectors`],
    ['Reference', report.hasReference ? 'data is there' : 'none'],
    ['Digest', <Digest key="digest" value={report.manifestDigest} />],
  ];
}

function judge(
  { verdict, overridable, summary, goldenCases, name }: InspectReport,
  mayOverride: boolean,
  stored: string | undefined,
) {
  const secured = `The model is loaded for the first time in an isolated process${goldenCases > 0 ? ', and must compute its golden vectors' : ''}.`;
  if (stored !== undefined)
    return {
      tone: 'accent',
      headline: 'Already in the vault',
      reason: `These very files are ${stored}. There is nothing to import.`,
      steps: ['Nothing: not a byte differs from what is stored.'],
    } as const;
  if (verdict === 'accept')
    return {
      tone: 'ok',
      headline: 'Can be imported',
      reason: summary,
      steps: [
        'The files are read once more: hashed, encrypted and stored at the same time.',
        secured,
        `It becomes a new version of ${name} that may run here and nobody can change.`,
        'The log keeps who brought it in, and what the gate saw.',
      ],
    } as const;
  if (overridable && !mayOverride)
    return {
      tone: 'watch',
      headline: 'Needs a decision',
      reason: summary,
      steps: [
        'Nothing: the policy of this vault lets in only what carries the signatures that it asks for.',
        'Ask its maker for a signature. An administrator can trust the signer, or change the policy.',
      ],
    } as const;
  if (overridable)
    return {
      tone: 'watch',
      headline: 'Needs a decision',
      reason: summary,
      steps: [
        'Nothing, unless a second person takes the responsibility by name, password and reason.',
        `Then ${secured.charAt(0).toLowerCase()}${secured.slice(1)}`,
        'It is stored in quarantine, and may not run until somebody makes it a candidate.',
        'The log keeps both names and the reason, and the version shows them for ever.',
      ],
    } as const;
  return {
    tone: 'act',
    headline: 'Refused',
    reason: summary,
    steps: [
      'Nothing is stored, and nobody can override this. An import that is tried leaves its signed verdict in the log.',
      'Open what was found to read what to do about it.',
      'A corrected bundle can be inspected here at any time.',
    ],
  } as const;
}
