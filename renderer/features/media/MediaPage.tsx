import { IconDeviceUsb, IconFolder, IconInbox, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import type { FoundBundle, Place } from '#shared/contract/media.ts';
import { client } from '../../app/client.ts';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { bytes } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Verdict } from './Verdict.tsx';

const icons = { removable: IconDeviceUsb, inbox: IconInbox, folder: IconFolder } as const;

/** Drives left, the bundles on them right, and the verdict on the one that is looked at. */
export function MediaPage() {
  const places = useQuery('places', () => client.media.places(null), ['media']);
  const [chosen, setChosen] = useState<string>();
  const [inspecting, setInspecting] = useState<PickedPlace>();
  const [picking, setPicking] = useState(false);
  if (inspecting !== undefined)
    return <Verdict source={inspecting} onBack={() => setInspecting(undefined)} />;
  const first = places.data?.find(({ kind }) => kind !== 'folder')?.token;
  const shown = places.data?.find(({ token }) => token === (chosen ?? first));
  return (
    <Page
      title="Media"
      action={
        <>
          <Button icon={<IconRefresh size={15} aria-hidden />} onClick={places.reload}>
            Look again
          </Button>
          <Button onClick={() => setPicking(true)}>Pick a file</Button>
        </>
      }
    >
      <div className="split">
        <Panel title="Places" flush>
          <Loaded query={places}>
            {(list) => (
              <div className="choices" role="group" aria-label="Places">
                {list.map((place) => (
                  <PlaceButton
                    key={place.token}
                    place={place}
                    selected={place.token === shown?.token}
                    onChoose={() => setChosen(place.token)}
                  />
                ))}
              </div>
            )}
          </Loaded>
        </Panel>
        {shown === undefined ? (
          <Panel>
            <Empty title="Choose a place">
              No removable drive is plugged in. A bundle is a folder or archive with a model
              (.onnx), its signature (model.sig) and, at best, a model card and golden vectors.
            </Empty>
          </Panel>
        ) : (
          <Found place={shown} onInspect={setInspecting} />
        )}
      </div>
      {picking ? (
        <FileDialog
          title="Pick a bundle"
          pick="file"
          ending={/\.(zip|tar|gz|tgz|onnx)$/i}
          onPick={setInspecting}
          onClose={() => setPicking(false)}
        />
      ) : null}
    </Page>
  );
}

function PlaceButton({
  place,
  selected,
  onChoose,
}: {
  readonly place: Place;
  readonly selected: boolean;
  readonly onChoose: () => void;
}) {
  const Icon = icons[place.kind];
  return (
    <button type="button" aria-pressed={selected} onClick={onChoose}>
      <span className="row">
        <Icon size={16} aria-hidden />
        <strong>{place.label}</strong>
        {place.readOnly ? <span className="quiet small">read-only</span> : null}
      </span>
      <span className="quiet small wrap-anywhere">
        {place.path}
        {place.freeBytes === null ? '' : ` · ${bytes(place.freeBytes)} free`}
      </span>
    </button>
  );
}

function Found({
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
            <Empty title="No bundles here">
              A bundle is a folder or archive with a model (.onnx), its signature (model.sig) and,
              at best, a model card and golden vectors. Folders are searched three levels deep.
            </Empty>
          ) : (
            <Table
              label={`Bundles on ${place.label}`}
              columns={[
                { title: 'Bundle' },
                { title: 'Form' },
                { title: 'Size' },
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
    yes: <State tone="accent">there</State>,
    no: <State tone="watch">none</State>,
    unknown: <span className="quiet">inside the archive</span>,
  };
  return [
    <div key="name">
      <strong>{bundle.name}</strong>
      <div className="quiet small wrap-anywhere">{bundle.path}</div>
    </div>,
    bundle.format,
    bundle.sizeBytes === null ? '' : bytes(bundle.sizeBytes),
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
