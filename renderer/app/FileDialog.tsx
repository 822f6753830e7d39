import { IconFile, IconFolder } from '@tabler/icons-react';
import { useState } from 'react';
import { bytes } from '../lib/format.ts';
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
  readonly pick: 'file' | 'folder';
  readonly ending?: RegExp;
  readonly onPick: (place: PickedPlace) => void;
  readonly onClose: () => void;
}) {
  const [folder, setFolder] = useState<string>();
  const places = useQuery('places', () => client.media.places(null), ['media']);
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
      {folder === undefined ? (
        <p className="quiet">Choose a place.</p>
      ) : (
        <Loaded query={listing}>
          {(found) =>
            found === undefined ? null : (
              <>
                <p className="mono quiet wrap-anywhere">{found.path}</p>
                <div
                  className="panel choices"
                  role="group"
                  aria-label="Files"
                  style={{ maxHeight: 300, overflowY: 'auto' }}
                >
                  {found.parent === null ? null : (
                    <button type="button" onClick={() => setFolder(found.parent ?? undefined)}>
                      ↑ Up
                    </button>
                  )}
                  {found.entries
                    .filter(
                      ({ kind, name }) =>
                        kind === 'folder' ||
                        (pick === 'file' && (ending === undefined || ending.test(name))),
                    )
                    .map((entry) => (
                      <button
                        type="button"
                        key={entry.token}
                        onClick={() =>
                          entry.kind === 'folder'
                            ? setFolder(entry.token)
                            : choose({
                                token: entry.token,
                                name: entry.name,
                                path: `${found.path}/${entry.name}`,
                              })
                        }
                      >
                        <span className="row">
                          {entry.kind === 'folder' ? (
                            <IconFolder size={15} aria-hidden />
                          ) : (
                            <IconFile size={15} aria-hidden />
                          )}
                          {entry.name}
                          {entry.sizeBytes === null ? null : (
                            <span className="quiet small">{bytes(entry.sizeBytes)}</span>
                          )}
                        </span>
                      </button>
                    ))}
                </div>
                {pick === 'folder' ? (
                  <Button
                    kind="primary"
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
              </>
            )
          }
        </Loaded>
      )}
    </Dialog>
  );
}
