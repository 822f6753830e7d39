import type { HistoryEvent } from '#shared/contract/models.ts';
import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

/** What happened to the model's versions, who did it and why. */
export function HistoryTab({ model }: { readonly model: string }) {
  const history = useQuery(`history ${model}`, () => client.models.history({ model }), ['models']);
  return (
    <Panel title="History" flush>
      <Loaded query={history}>
        {({ events }) => (
          <Table
            label="History"
            columns={[
              { title: 'When' },
              { title: 'Version' },
              { title: 'What' },
              { title: 'Who' },
              { title: 'Reason' },
            ]}
            rows={events.map((event, at) => ({
              key: String(at),
              cells: [
                <Time key="at" at={event.at} />,
                event.version === null ? '' : `@${event.version}`,
                happened(event),
                event.actor,
                event.reason ?? '',
              ],
            }))}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function happened({ kind, from, to }: HistoryEvent): string {
  switch (kind) {
    case 'imported':
      return `Imported as ${to}`;
    case 'stage':
      return from === null ? `Became ${to}` : `Went from ${from} to ${to}`;
    case 'alias':
      return `Became what @${to} means`;
    case 'requested':
      return `${to === null ? 'A change' : `Promotion to ${to}`} was asked for`;
    case 'request-closed':
      return to === null ? 'The request was closed' : `The request was ${to}`;
  }
}
