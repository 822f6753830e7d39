import { useState } from 'react';
import type { DiffArea, VersionDiff } from '#shared/contract/diff.ts';
import type { VersionSummary } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { count, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Field } from '../../ui/Field.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';

type Area = VersionDiff['areas'][number];
type Kind = Area['changes'][number]['kind'];

const names: Readonly<Record<DiffArea, string>> = {
  graph: 'Graph',
  weights: 'Weights',
  inputs: 'Inputs',
  outputs: 'Outputs',
  operators: 'Operators',
  metrics: 'Metrics',
  card: 'Card',
  pipeline: 'Pipeline',
  files: 'Files',
  model: 'Model file',
};
/** A difference is no alarm, so it has a sign and no colour. */
const signs: Readonly<Record<Kind, string>> = { added: '+', removed: '−', changed: '≠' };
const kinds = ['added', 'removed', 'changed'] as const;
/** Lines that are shown at once. */
const shownFirst = 200;

/** Two versions side by side: where they differ, and in what. */
export function DiffTab({ versions }: { readonly versions: readonly VersionSummary[] }) {
  const references = versions.map(({ model, version }) => `${model}@${version}`);
  const [from, setFrom] = useState(references[1] ?? references[0] ?? '');
  const [to, setTo] = useState(references[0] ?? '');
  if (versions.length < 2) {
    return (
      <Panel>
        <Empty title="Only one version">
          When a second version comes in, the two can be compared here.
        </Empty>
      </Panel>
    );
  }
  const choice = (label: string, value: string, set: (value: string) => void) => (
    <Field label={label}>
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {references.map((reference) => (
          <option key={reference}>{reference}</option>
        ))}
      </select>
    </Field>
  );
  return (
    <>
      <div className="diff-choice">
        {choice('From', from, setFrom)}
        {choice('To', to, setTo)}
        <Button
          onClick={() => {
            setFrom(to);
            setTo(from);
          }}
        >
          Swap
        </Button>
      </div>
      <Differences key={`${from} ${to}`} from={from} to={to} />
    </>
  );
}

function Differences({ from, to }: { readonly from: string; readonly to: string }) {
  const diff = useQuery(`diff ${from} ${to}`, () => client.models.diff({ from, to }), ['models']);
  const [chosen, setChosen] = useState<DiffArea>();
  return (
    <Loaded query={diff}>
      {({ areas, notes }) => {
        const area =
          areas.find((one) => one.area === chosen) ??
          areas.find((one) => differences(one) > 0) ??
          areas[0];
        return (
          <>
            {notes.map((note) => (
              <Notice key={note} tone="watch" title={note} />
            ))}
            <div className="split">
              <Panel title="Where they differ" flush>
                <div className="choices diff-areas" role="group" aria-label="Areas">
                  {areas.map((one) => (
                    <button
                      key={one.area}
                      type="button"
                      aria-pressed={one === area}
                      onClick={() => setChosen(one.area)}
                    >
                      <strong>{names[one.area]}</strong>
                      <span className="quiet small">{summary(one)}</span>
                    </button>
                  ))}
                </div>
              </Panel>
              {area === undefined ? null : (
                <AreaPanel key={area.area} area={area} from={from} to={to} />
              )}
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

/** The changes of one area, filtered by kind and by a word. */
function AreaPanel({
  area,
  from,
  to,
}: {
  readonly area: Area;
  readonly from: string;
  readonly to: string;
}) {
  const [kind, setKind] = useState<Kind>();
  const [word, setWord] = useState('');
  const [isWhole, setIsWhole] = useState(false);
  const wanted = word.trim().toLowerCase();
  const found = area.changes.filter(
    (change) =>
      (kind === undefined || change.kind === kind) &&
      [change.what, change.from ?? '', change.to ?? ''].join('\n').toLowerCase().includes(wanted),
  );
  const shown = isWhole ? found : found.slice(0, shownFirst);
  const unlisted = differences(area) - area.changes.length;
  if (differences(area) === 0)
    return (
      <Panel title={names[area.area]}>
        <Empty title="No difference">
          {area.same === 0
            ? 'Neither version tells anything here.'
            : `${count(area.same)} compared, all the same.`}
        </Empty>
      </Panel>
    );
  return (
    <Panel
      title={names[area.area]}
      flush
      action={
        <div className="row diff-filter">
          <input
            type="search"
            aria-label={`Search in ${names[area.area].toLowerCase()}`}
            placeholder="Search"
            value={word}
            onChange={(event) => setWord(event.currentTarget.value)}
          />
          {kinds
            .filter((one) => area[one] > 0)
            .map((one) => (
              <Button
                key={one}
                size="small"
                aria-pressed={kind === one}
                onClick={() => setKind(kind === one ? undefined : one)}
              >
                {`${count(area[one])} ${one}`}
              </Button>
            ))}
        </div>
      }
    >
      <Table
        label={`Differences in ${names[area.area].toLowerCase()}`}
        columns={[{ title: 'What' }, { title: 'Change' }, { title: from }, { title: `${to} ` }]}
        rows={shown.map((change, at) => ({
          key: `${change.what} ${at}`,
          cells: [
            <span key="what" className="wrap-anywhere">
              {change.what}
            </span>,
            <span key="kind" className="nowrap">
              <span className="mono" aria-hidden>
                {signs[change.kind]}
              </span>{' '}
              {change.kind}
            </span>,
            <span key="from" className="wrap-anywhere">
              {change.from ?? ''}
            </span>,
            <span key="to" className="wrap-anywhere">
              {change.to ?? ''}
            </span>,
          ],
        }))}
      />
      {area.same === 0 || kind !== undefined || wanted !== '' ? null : (
        <p className="more quiet">{`${count(area.same)} the same in both.`}</p>
      )}
      {found.length === 0 ? <p className="more quiet">None of them fits.</p> : null}
      {found.length > shown.length ? (
        <p className="more">
          <Button kind="link" onClick={() => setIsWhole(true)}>
            {`Show the other ${count(found.length - shown.length)}`}
          </Button>
        </p>
      ) : null}
      {unlisted > 0 ? (
        <p className="more quiet">{`${plural(unlisted, 'more difference')} not listed.`}</p>
      ) : null}
    </Panel>
  );
}

function differences({ added, removed, changed }: Area): number {
  return added + removed + changed;
}

function summary(area: Area): string {
  if (differences(area) === 0) return area.same === 0 ? 'nothing told' : 'the same';
  return kinds
    .flatMap((kind) => (area[kind] === 0 ? [] : [`${count(area[kind])} ${kind}`]))
    .join(', ');
}
