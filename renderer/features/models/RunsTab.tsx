import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { go, linkTo } from '../../app/routes.ts';
import { useQuery } from '../../app/use-query.ts';
import { count } from '../../lib/format.ts';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';

/** Every file that was scored with the model, newest first. */
export function RunsTab({ model }: { readonly model: string }) {
  const runs = useQuery(`runs ${model}`, () => client.runs.list({ model, limit: 200 }), ['runs']);
  return (
    <Panel title="Runs" flush>
      <Loaded query={runs}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No runs yet">
              Score a file with this model, and the run stands here with its counts and digests.
            </Empty>
          ) : (
            <Table
              label="Runs"
              columns={[
                { title: 'When' },
                { title: 'Version' },
                { title: 'File' },
                { title: 'State' },
                { title: 'Rows', align: 'number' },
                { title: 'Rejected', align: 'number' },
                { title: 'Who' },
              ]}
              rows={list.map((run) => ({
                key: run.runId,
                onOpen: () => go('run', 'result', run.runId),
                cells: [
                  <a key="when" href={linkTo('run', 'result', run.runId)}>
                    <Time at={run.startedAt} />
                  </a>,
                  `@${run.version}`,
                  run.inputName,
                  <State
                    key="state"
                    tone={run.state === 'done' ? 'ok' : run.state === 'running' ? 'accent' : 'act'}
                  >
                    {run.state}
                  </State>,
                  count(run.rows),
                  count(run.rejected),
                  run.actor,
                ],
              }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}
