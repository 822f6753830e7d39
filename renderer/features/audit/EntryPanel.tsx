import { useState } from 'react';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { Loaded } from '../../app/Page.tsx';
import { linkTo } from '../../app/routes.ts';
import { SaveVerdict } from '../../app/SaveVerdict.tsx';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { sentenceOf, tellsWhatHappened } from '../../app/sentences.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Time } from '../../ui/Time.tsx';
import { outcomeTone } from '../../ui/words.ts';
import { Details } from './Details.tsx';

/** One entry in full, the entry it answers, and the proof that it stands in the log. */
export function EntryPanel({ index }: { readonly index: number }) {
  const query = useQuery(
    `entry ${index}`,
    () =>
      client.audit.list({
        limit: 1,
        before: index + 1,
        after: index - 1 < 0 ? undefined : index - 1,
      }),
    [],
  );
  const [proof, setProof] = useState<{ readonly index: number; readonly text: string }>();
  const { run, error } = useAct();
  return (
    <Panel title={`Entry ${index}`}>
      <Loaded query={query}>
        {({ entries }) => {
          const found = entries[0];
          if (found === undefined || found.entry.index !== index)
            return <p>The log has no entry {index}.</p>;
          const { entry, leafHash } = found;
          return (
            <div className="stack">
              <Facts
                rows={[
                  ['When', <Time key="at" at={entry.time} />],
                  ['Who', `${entry.actor}, ${entry.role}`],
                  ['Where', entry.host],
                  [
                    'Act',
                    <span key="act" className="mono">
                      {entry.action}
                    </span>,
                  ],
                  ...(tellsWhatHappened(entry)
                    ? [['In words', `${entry.actor} ${sentenceOf(entry)}`] as const]
                    : []),
                  [
                    'Outcome',
                    <State key="outcome" tone={outcomeTone(entry.outcome)}>
                      {entry.outcome ?? (entry.phase === 'begin' ? 'announced' : entry.phase)}
                    </State>,
                  ],
                  ...(entry.reason === undefined ? [] : [['Reason', entry.reason] as const]),
                  ...(entry.of === undefined
                    ? []
                    : [
                        [
                          'Announced by',
                          <a key="of" href={linkTo('audit', String(entry.of))}>
                            entry {entry.of}
                          </a>,
                        ] as const,
                      ]),
                  ...entry.objects.map(
                    ({ type, id, digest }, at) =>
                      [
                        at === 0 ? 'About' : ' '.repeat(at),
                        <span key={id} className="row">
                          {type} {id}
                          {digest === undefined ? null : <Digest value={digest} />}
                        </span>,
                      ] as const,
                  ),
                  ['Leaf', <Digest key="leaf" value={`sha256:${leafHash}`} />],
                ]}
              />
              <Details details={entry.details ?? {}} />
              <details>
                <summary>The entry as it stands in the log</summary>
                <pre className="document" tabIndex={0} aria-label="Entry as JSON">
                  {JSON.stringify(entry, null, 2)}
                </pre>
              </details>
              <ErrorNotice error={error} />
              <div className="row">
                <Button
                  size="small"
                  onClick={() =>
                    void run(async () => setProof(await client.audit.prove({ index })))
                  }
                >
                  Show proof
                </Button>
                {proof?.index === index ? (
                  <CopyButton size="small" text={proof.text}>
                    Copy proof
                  </CopyButton>
                ) : null}
                {entry.action === 'bundle.import' ? (
                  <SaveVerdict
                    of={{ entry: entry.of ?? entry.index }}
                    about={`the import of entry ${entry.of ?? entry.index}`}
                  />
                ) : null}
              </div>
              {proof?.index === index ? (
                <pre className="document" tabIndex={0} aria-label="Inclusion proof">
                  {proof.text}
                </pre>
              ) : null}
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}
