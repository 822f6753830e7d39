import type { FoundBundle, Place } from '#shared/contract/media.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import type { PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { formatWord } from '../../ui/words.ts';
import { BundleSample } from './BundleSample.tsx';

/** The bundles of one place, as bundles and not as files. */
export function Found({
  place,
  onInspect,
}: {
  readonly place: Place;
  readonly onInspect: (bundle: PickedPlace) => void;
}) {
  const found = useQuery(
    `bundles ${place.token}`,
    () => client.media.bundles({ folder: place.token }),
    ['media'],
  );
  return (
    <Panel title={`Bundles on ${place.label}`} flush>
      <Loaded query={found}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No bundle was found here" action={<BundleSample />}>
              Three levels of folders were searched. ModelPack, ModelKit, MLflow, Triton and Hugging
              Face forms are known too; this is what a bundle of the usual form looks like:
            </Empty>
          ) : (
            <Table
              label={`Bundles on ${place.label}`}
              columns={[
                { title: 'Bundle' },
                { title: 'Form' },
                { title: 'Size', align: 'number' },
                { title: 'Signature' },
                { title: '' },
              ]}
              rows={list.map((bundle) => ({
                key: bundle.token,
                cells: bundleCells(bundle, onInspect),
              }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

function bundleCells(bundle: FoundBundle, onInspect: (bundle: PickedPlace) => void) {
  const signed = {
    yes: <State tone="accent">signed, not verified yet</State>,
    no: <State tone="watch">not signed</State>,
    unknown: <span className="quiet">seen when inspected</span>,
  };
  return [
    <div key="name">
      <strong className="wrap-anywhere">{bundle.name}</strong>
      {bundle.path === bundle.name ? null : (
        <div className="quiet small wrap-anywhere">{bundle.path}</div>
      )}
    </div>,
    formatWord(bundle.format),
    bundle.sizeBytes === null ? <span className="quiet">–</span> : bytes(bundle.sizeBytes),
    signed[bundle.signed],
    <Button
      key="act"
      size="small"
      aria-label={`Inspect ${bundle.name}`}
      onClick={() => onInspect({ token: bundle.token, name: bundle.name, path: bundle.path })}
    >
      Inspect
    </Button>,
  ];
}
