import type { RunResult } from '#shared/contract/runs.ts';
import { client } from '../../app/client.ts';
import { Loaded, Page } from '../../app/Page.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useQuery } from '../../app/use-query.ts';
import { count, duration, listed, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { columnsOf, Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { InterruptedPanel } from './InterruptedPanel.tsx';
import { KeptPanel } from './KeptPanel.tsx';
import { formatWords, outputWords } from './format-words.ts';
import { SaveReceipt } from './SaveReceipt.tsx';
import { overrideWord } from '../../ui/words.ts';

/** What came of a run: counts, digests, first rows, rejects with reasons. */
export function RunResultPage({ runId }: { readonly runId: string }) {
  const run = useQuery(`run ${runId}`, () => client.runs.show({ runId }), ['runs']);
  const summary = run.data?.summary;
  const drift = useQuery(
    `drift of ${runId} ${summary?.state ?? ''}`,
    async () =>
      summary?.state === 'done'
        ? client.monitor.show({ version: `${summary.model}@${summary.version}`, runId })
        : undefined,
    ['monitor'],
  );
  // Without something to compare with there is no drift to see.
  const isCompared = drift.data !== undefined && drift.data.reference !== null;
  return (
    <Page
      title={run.data === undefined ? 'Run' : `Run on ${run.data.summary.inputName}`}
      action={
        summary === undefined ? null : (
          <>
            <Button
              {...(isCompared || summary.canGoOn ? {} : { kind: 'primary' as const })}
              onClick={() => go('run', summary.model)}
            >
              Run again
            </Button>
            {isCompared ? (
              <Button
                kind="primary"
                onClick={() => go('monitor', `${summary.model}@${summary.version}`, runId)}
              >
                See drift
              </Button>
            ) : null}
          </>
        )
      }
    >
      <Loaded query={run}>
        {({ summary, result, kept }) => (
          <>
            {summary.state === 'done' ? (
              <Notice
                tone={summary.rejected === 0 ? 'ok' : summary.rows === 0 ? 'act' : 'watch'}
                title={`${plural(summary.rows, 'row')} scored${summary.rejected === 0 ? '' : `, ${plural(summary.rejected, 'row')} rejected`}`}
              >
                By {summary.model}@{summary.version} for {summary.actor}
                {result === null || result.resumedBy.length === 0
                  ? ''
                  : `, resumed by ${listed(result.resumedBy)}`}
                , started <Time at={summary.startedAt} />.
              </Notice>
            ) : (
              <Notice
                tone={summary.state === 'running' ? 'accent' : summary.canGoOn ? 'watch' : 'act'}
                title={`The run is ${summary.state}`}
                {...(summary.error === null ? {} : { code: summary.error.code })}
              >
                {summary.error?.message ??
                  'It goes on in its own process; the Jobs drawer shows how far it is.'}
              </Notice>
            )}
            {summary.canGoOn ? <InterruptedPanel summary={summary} /> : null}
            {kept === null ? null : <KeptPanel runId={summary.runId} kept={kept} />}
            {result?.override == null ? null : (
              <Notice tone="watch" title="By a version that the gate would have refused">
                {overrideWord(result.override)}
              </Notice>
            )}
            {result === null || result.outOfRange.length === 0 ? null : (
              <Notice tone="watch" title="Scored outside of what the model states">
                {`${listed(result.outOfRange.map(({ column, rows }) => `${column} in ${plural(rows, 'row')}`))}. The model may not have learned such values; Monitor compares them with the reference.`}
              </Notice>
            )}
            {result === null ? null : <Result result={result} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Result({ result }: { readonly result: RunResult }) {
  return (
    <>
      <div className="columns">
        <Panel title="Result">
          <Facts
            rows={[
              [
                'File',
                <span key="file" className="mono wrap-anywhere">
                  {result.outputPath}
                </span>,
              ],
              [
                'Rejects',
                result.rejectsPath === null ? (
                  'none'
                ) : (
                  <span key="rejects" className="mono wrap-anywhere">
                    {result.rejectsPath}
                  </span>
                ),
              ],
              [
                'Formats',
                `${formatWords[result.inputFormat].input} in, ${outputWords[result.outputFormat]} out`,
              ],
              [
                'Time',
                `${duration(result.seconds)}, ${count(Math.round(result.rowsPerSecond))} rows / s`,
              ],
            ]}
          />
        </Panel>
        <Panel
          title="Receipt"
          action={
            result.receiptDigest === null ? null : (
              <SaveReceipt
                runId={result.runId}
                outputName={result.outputPath.replace(/^.*[/\\]/, '')}
              />
            )
          }
        >
          <Facts
            rows={[
              ['Version', <Digest key="version" value={result.versionDigest} />],
              ['Input', <Digest key="input" value={result.inputDigest} />],
              ['Output', <Digest key="output" value={result.outputDigest} />],
              ...(result.rejectsDigest === null
                ? []
                : [['Rejects', <Digest key="rejects" value={result.rejectsDigest} />] as const]),
              [
                'Signed receipt',
                result.receiptDigest === null ? (
                  'none: the run is from before there were any'
                ) : (
                  <Digest key="receipt" value={result.receiptDigest} />
                ),
              ],
              [
                'Log entry',
                <a key="log" href={linkTo('audit', String(result.logIndex))}>
                  {result.logIndex}
                </a>,
              ],
            ]}
          />
        </Panel>
      </div>
      {result.firstRows.length === 0 ? null : (
        <Panel title="First rows" flush>
          <Table
            label="First rows"
            columns={columnsOf(result.outputColumns, result.firstRows)}
            rows={result.firstRows.map((row, at) => ({ key: String(at), cells: row }))}
          />
        </Panel>
      )}
      {result.firstRejects.length === 0 ? null : (
        <Panel title={`Rejected rows (${count(result.rejected)})`} flush>
          <Table
            label="Rejected rows"
            columns={[
              { title: 'Row', align: 'number' },
              { title: 'Column' },
              { title: 'Code' },
              { title: 'Why' },
            ]}
            rows={result.firstRejects.map((reject) => ({
              key: String(reject.row),
              cells: [
                reject.row,
                reject.column ?? 'whole row',
                <span key="code" className="mono">
                  {reject.code}
                </span>,
                reject.message,
              ],
            }))}
          />
        </Panel>
      )}
    </>
  );
}
