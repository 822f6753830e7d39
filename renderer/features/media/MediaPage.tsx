import { IconDeviceUsb, IconFolder, IconInbox, IconRefresh } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { Place } from '#shared/contract/media.ts';
import { bytes } from '#shared/words.ts';
import { client } from '../../app/client.ts';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded, Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { BundleSample } from './BundleSample.tsx';
import { Found } from './Found.tsx';
import { Verdict } from './Verdict.tsx';

const icons = { removable: IconDeviceUsb, inbox: IconInbox, folder: IconFolder } as const;

/** Drives left, the bundles on them right, and the verdict on the one that is looked at. */
export function MediaPage({ looksAtBundle }: { readonly looksAtBundle: boolean }) {
  const places = useQuery('places', () => client.media.places(null), ['media']);
  const [chosen, setChosen] = useState<Place>();
  const [inspecting, setInspecting] = useState<PickedPlace>();
  const [picking, setPicking] = useState(false);
  const first = places.data?.find(({ kind }) => kind !== 'folder');
  // A drive that is looked at without having been chosen is missed too when it goes.
  useEffect(() => {
    if (chosen === undefined && first?.kind === 'removable') setChosen(first);
  }, [chosen, first]);
  const inspect = (bundle: PickedPlace): void => {
    setInspecting(bundle);
    go('media', 'bundle');
  };
  if (looksAtBundle && inspecting !== undefined)
    return <Verdict key={inspecting.token} source={inspecting} onBack={() => go('media')} />;
  const wanted = chosen ?? first;
  const shown = places.data?.find(({ token }) => token === wanted?.token);
  const isGone = chosen !== undefined && places.data !== undefined && shown === undefined;
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
              <>
                <div className="choices" role="group" aria-label="Places">
                  {list.map((place) => (
                    <PlaceButton
                      key={place.token}
                      place={place}
                      selected={place.token === shown?.token}
                      onChoose={() => setChosen(place)}
                    />
                  ))}
                </div>
                <p className="more quiet">
                  {list.some(({ kind }) => kind === 'removable')
                    ? 'Eject a drive in the system before you pull it out. Strongroom keeps no file on it open after a job has ended.'
                    : 'No removable drive is plugged in. One that is plugged in shows up here by itself.'}
                </p>
              </>
            )}
          </Loaded>
        </Panel>
        {isGone ? (
          <Panel>
            <Empty title={`${chosen.label} was taken out`}>
              Nothing in the vault was changed by it. Put it back to go on, or choose another place
              on the left.
            </Empty>
          </Panel>
        ) : shown === undefined ? (
          <Panel>
            <Empty title="No place to look at yet" action={<BundleSample />}>
              Plug in a drive, or choose one of the folders on the left. This is what a bundle looks
              like:
            </Empty>
          </Panel>
        ) : (
          <Found place={shown} onInspect={inspect} />
        )}
      </div>
      {picking ? (
        <FileDialog
          title="Pick a bundle"
          pick="file"
          ending={/\.(zip|tar|gz|tgz|zst|tzst|onnx|part\d{2,6}|\d{3})$/i}
          onPick={inspect}
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
  const size = sizeOf(place);
  return (
    <button type="button" aria-pressed={selected} onClick={onChoose}>
      <span className="row">
        <Icon size={16} aria-hidden />
        <strong>{place.label}</strong>
        {place.readOnly ? <State tone="neutral">read-only</State> : null}
      </span>
      <span className="quiet small wrap-anywhere">{place.path}</span>
      {size === '' ? null : <span className="quiet small">{size}</span>}
    </button>
  );
}

/** File system and room, as far as they are known. */
function sizeOf({ fileSystem, freeBytes, totalBytes }: Place): string {
  const room =
    freeBytes === null
      ? undefined
      : totalBytes === null
        ? `${bytes(freeBytes)} free`
        : `${bytes(freeBytes)} of ${bytes(totalBytes)} free`;
  return [fileSystem ?? undefined, room].filter((part) => part !== undefined).join(' · ');
}
