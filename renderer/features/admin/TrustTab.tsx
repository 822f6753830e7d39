import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { TrustedKey } from '#shared/contract/trust.ts';
import { client } from '../../app/client.ts';
import { ErrorNotice } from '../../app/ErrorNotice.tsx';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { useMay } from '../../app/session.ts';
import { ReasonField } from '../../app/ReasonField.tsx';
import { useAct } from '../../app/use-act.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Field } from '../../ui/Field.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { textOf } from '../../lib/form.ts';

export function TrustTab() {
  const may = useMay();
  const keys = useQuery('trust', () => client.trust.list(null), ['trust']);
  const [picking, setPicking] = useState(false);
  const [file, setFile] = useState<PickedPlace>();
  const [removing, setRemoving] = useState<TrustedKey>();
  return (
    <>
      <Panel
        title="Trusted keys and certificates"
        action={
          may(contract.trust.add) ? (
            <Button kind="primary" size="small" onClick={() => setPicking(true)}>
              Trust a key
            </Button>
          ) : null
        }
        flush
      >
        <Loaded query={keys}>
          {(list) =>
            list.length === 0 ? (
              <Empty title="Nobody is trusted yet">
                A bundle is let in when it is signed with a key of this list. Compare a key with its
                owner over another channel before you add it.
              </Empty>
            ) : (
              <Table
                label="Trusted keys"
                columns={[
                  { title: 'Name' },
                  { title: 'Kind' },
                  { title: 'Algorithm' },
                  { title: 'Key id' },
                  { title: 'Added' },
                  { title: '' },
                ]}
                rows={list.map((key) => ({
                  key: key.keyId,
                  cells: [
                    <div key="name">
                      <strong>{key.name}</strong>
                      {key.note === null ? null : <div className="quiet small">{key.note}</div>}
                    </div>,
                    key.kind,
                    key.algorithm,
                    <Digest key="id" value={key.keyId} />,
                    <div key="added">
                      <Time at={key.addedAt} />
                      <div className="quiet small">{key.addedBy}</div>
                    </div>,
                    may(contract.trust.remove) ? (
                      <Button
                        key="remove"
                        size="small"
                        aria-label={`Stop trusting ${key.name}`}
                        onClick={() => setRemoving(key)}
                      >
                        Remove
                      </Button>
                    ) : null,
                  ],
                }))}
              />
            )
          }
        </Loaded>
      </Panel>
      {picking ? (
        <FileDialog
          title="Public key or certificate (PEM)"
          pick="file"
          ending={/\.(pem|pub|crt|cer)$/i}
          onPick={setFile}
          onClose={() => setPicking(false)}
        />
      ) : null}
      {file === undefined ? null : <NameKey file={file} onClose={() => setFile(undefined)} />}
      {removing === undefined ? null : (
        <ReasonDialog
          title={`Stop trusting ${removing.name}`}
          explain="Bundles signed with this key are refused from now on. Versions that are in the vault stay."
          act={`Stop trusting ${removing.name}`}
          kind="danger"
          onClose={() => setRemoving(undefined)}
          onConfirm={(reason) => client.trust.remove({ keyId: removing.keyId, reason })}
        />
      )}
    </>
  );
}

function NameKey({ file, onClose }: { readonly file: PickedPlace; readonly onClose: () => void }) {
  const { run, pending, error } = useAct();
  return (
    <Dialog title={`Trust ${file.name}`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void run(() =>
            client.trust.add({
              name: textOf(form, 'name'),
              file: file.token,
              reason: textOf(form, 'reason'),
            }),
          ).then((worked) => worked && onClose());
        }}
      >
        <Field label="Whose key it is">
          <input name="name" required maxLength={90} />
        </Field>
        <ReasonField
          label="How it was checked"
          hint="Such as: compared by telephone with the maker."
        />
        <ErrorNotice error={error} />
        <footer>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button submit kind="primary" disabled={pending}>
            Trust this key
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
