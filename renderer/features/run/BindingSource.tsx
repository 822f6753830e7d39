import { contract } from '#shared/contract/index.ts';
import type { ShownBinding } from '#shared/contract/bindings.ts';
import type { Preview } from '#shared/contract/runs.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { Loaded } from '../../app/Page.tsx';
import { useMay } from '../../app/session.ts';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { listed, plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Time } from '../../ui/Time.tsx';
import type { Reading } from './ReadingPanel.tsx';

/** More names than these are for the table below, or for `binding show`. */
const mostColumns = 60;

/** What says which columns a file needs: the bundle, a saved binding, or each file anew; and the act that saves it. */
export function BindingSource({
  version,
  input,
  reading,
  preview,
}: {
  readonly version: string;
  /** Token of the file that was chosen. */
  readonly input: string | undefined;
  readonly reading: Reading;
  readonly preview: Preview | undefined;
}) {
  const may = useMay();
  const act = useAct();
  const binding = useQuery(`binding ${version}`, () => client.bindings.show({ version }), [
    'models',
  ]);
  const source = binding.data?.source;
  // A saved binding can be replaced by what another file shows, even when that file does not fit the saved one.
  const canSave =
    input !== undefined &&
    preview !== undefined &&
    (source === 'saved' || (source === 'none' && preview.problems.length === 0));
  return (
    <Panel
      title="Columns that a file needs"
      action={
        canSave && may(contract.bindings.save) ? (
          <Button
            size="small"
            disabled={act.pending}
            onClick={() => void act.run(() => client.bindings.save({ version, input, ...reading }))}
          >
            {act.pending ? 'Saving…' : source === 'saved' ? 'Replace binding' : 'Save binding'}
          </Button>
        ) : null
      }
    >
      <div className="stack">
        <ErrorNotice error={act.error} />
        <Loaded query={binding}>{(shown) => <Source shown={shown} canSave={canSave} />}</Loaded>
      </div>
    </Panel>
  );
}

function Source({ shown, canSave }: { readonly shown: ShownBinding; readonly canSave: boolean }) {
  if (shown.source === 'none')
    return (
      <p>
        Nothing is saved: the columns are told anew from each file.
        {canSave ? ' Save the binding, and later runs need these columns by name.' : ''}
      </p>
    );
  const columns = [...new Set(shown.inputs.flatMap((input) => input.columns))];
  return (
    <>
      {shown.source === 'saved' ? (
        <div className="row" role="status">
          <State tone="ok">Saved binding in use</State>
          <span className="quiet small">
            {`by ${shown.savedBy ?? 'somebody'}, `}
            {shown.savedAt === null ? null : <Time at={shown.savedAt} />}
          </span>
        </div>
      ) : null}
      <p className="wrap-anywhere">
        <span className="quiet">
          {shown.source === 'bundle' ? 'The bundle asks for ' : 'Every file needs '}
          {`${plural(columns.length, 'column')}: `}
        </span>
        {listed(columns, mostColumns)}
      </p>
      {shown.source === 'saved' && canSave ? (
        <p className="quiet small">
          Replace it, and the columns of the chosen file count from then on.
        </p>
      ) : null}
    </>
  );
}
