import { IconCornerLeftUp, IconFile, IconFolder } from '@tabler/icons-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { FolderEntry } from '#shared/contract/media.ts';
import { bytes } from '#shared/words.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { client } from './client.ts';
import { Loaded } from './Page.tsx';
import { useQuery } from './use-query.ts';

export interface PickedPlace {
  readonly token: string;
  readonly name: string;
  /** For display only. */
  readonly path: string;
}

/** Picks a file or a folder. The window only ever holds the token that the core hands out for it. */
export function FileDialog({
  title,
  pick,
  ending,
  onPick,
  onClose,
}: {
  readonly title: string;
  readonly pick: 'file' | 'folder' | 'either';
  readonly ending?: RegExp;
  readonly onPick: (place: PickedPlace) => void;
  readonly onClose: () => void;
}) {
  const [opened, setFolder] = useState<string>();
  const places = useQuery('places', () => client.media.places(null), ['media']);
  const folder = opened ?? places.data?.[0]?.token;
  const listing = useQuery(
    `folder ${folder ?? ''}`,
    () => (folder === undefined ? Promise.resolve(undefined) : client.media.list({ folder })),
    [],
  );
  const choose = (place: PickedPlace): void => {
    onPick(place);
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <Loaded query={places}>
        {(list) => (
          <div className="row" role="group" aria-label="Places">
            {list.map((place) => (
              <Button
                key={place.token}
                size="small"
                aria-pressed={place.token === folder}
                title={place.path}
                onClick={() => setFolder(place.token)}
              >
                {place.label}
              </Button>
            ))}
          </div>
        )}
      </Loaded>
      {places.data?.length === 0 ? (
        <p className="quiet">There is no drive and no folder to choose from. Plug in a drive.</p>
      ) : (
        <Loaded query={listing}>
          {(found) =>
            found === undefined || folder === undefined ? null : (
              <>
                <p className="mono quiet wrap-anywhere">{found.path}</p>
                <FileList key={found.path}>
                  {found.parent === null ? null : (
                    <button type="button" onClick={() => setFolder(found.parent ?? undefined)}>
                      <span className="row">
                        <IconCornerLeftUp size={15} aria-hidden /> Up
                      </span>
                    </button>
                  )}
                  <Entries
                    entries={found.entries.filter(
                      ({ kind, name }) =>
                        kind === 'folder' ||
                        (pick !== 'folder' && (ending === undefined || ending.test(name))),
                    )}
                    nothing={
                      pick === 'folder' ? 'No folder in this one.' : 'No file here that fits.'
                    }
                    onOpen={(entry) =>
                      entry.kind === 'folder'
                        ? setFolder(entry.token)
                        : choose({
                            token: entry.token,
                            name: entry.name,
                            path: `${found.path}/${entry.name}`,
                          })
                    }
                  />
                </FileList>
                <footer>
                  <Button kind="quiet" onClick={onClose}>
                    Cancel
                  </Button>
                  {pick !== 'file' ? (
                    <Button
                      kind={pick === 'folder' ? 'primary' : 'plain'}
                      onClick={() =>
                        choose({
                          token: folder,
                          name: found.path.split(/[/\\]/).at(-1) ?? found.path,
                          path: found.path,
                        })
                      }
                    >
                      Use this folder
                    </Button>
                  ) : null}
                </footer>
              </>
            )
          }
        </Loaded>
      )}
    </Dialog>
  );
}

/** Another folder, another list: whoever opened it with the keyboard goes on in it. */
function FileList({ children }: { readonly children: ReactNode }) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) list.current?.querySelector('button')?.focus();
  }, []);
  return (
    <div className="panel choices file-list" role="group" aria-label="Files" ref={list}>
      {children}
    </div>
  );
}

function Entries({
  entries,
  nothing,
  onOpen,
}: {
  readonly entries: readonly FolderEntry[];
  readonly nothing: string;
  readonly onOpen: (entry: FolderEntry) => void;
}) {
  if (entries.length === 0) return <p className="empty">{nothing}</p>;
  return entries.map((entry) => (
    <button type="button" key={entry.token} onClick={() => onOpen(entry)}>
      <span className="row">
        {entry.kind === 'folder' ? (
          <IconFolder size={15} aria-hidden />
        ) : (
          <IconFile size={15} aria-hidden />
        )}
        <span className="wrap-anywhere">{entry.name}</span>
        {entry.sizeBytes === null ? null : (
          <span className="quiet small">{bytes(entry.sizeBytes)}</span>
        )}
      </span>
    </button>
  ));
}
