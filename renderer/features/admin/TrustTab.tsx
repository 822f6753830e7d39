import { useState } from 'react';
import { contract } from '#shared/contract/index.ts';
import type { TrustedKey } from '#shared/contract/trust.ts';
import { client } from '../../app/client.ts';
import { FileDialog, type PickedPlace } from '../../app/FileDialog.tsx';
import { Loaded } from '../../app/Page.tsx';
import { ReasonDialog } from '../../app/ReasonDialog.tsx';
import { useMay } from '../../app/session.ts';
import { useQuery } from '../../app/use-query.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Empty, Panel } from '../../ui/Panel.tsx';
import { Table } from '../../ui/Table.tsx';
import { State } from '../../ui/State.tsx';
import { Time } from '../../ui/Time.tsx';
import { AddTrustDialog } from './AddTrustDialog.tsx';

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
                  { title: 'Key id' },
                  { title: 'Valid until' },
                  { title: 'Added' },
                  { title: '' },
                ]}
                rows={list.map((key) => ({
                  key: key.keyId,
                  cells: [
                    <div key="name">
                      <strong>{key.name}</strong>
                      {key.role === null ? null : <span className="quiet small"> {key.role}</span>}
                      {key.identity === null ? null : (
                        <div className="small wrap-anywhere">
                          {key.identity.subject}, by {key.identity.issuer}
                        </div>
                      )}
                      {key.note === null ? null : <div className="quiet small">{key.note}</div>}
                    </div>,
                    <div key="kind">
                      {key.kind === 'sigstore' ? 'Sigstore root' : key.kind}
                      {key.kind === 'sigstore' ? null : (
                        <div className="quiet small">{key.algorithm}</div>
                      )}
                    </div>,
                    <Digest key="id" value={key.keyId} />,
                    key.expiresAt === null ? (
                      <span key="until" className="quiet">
                        no end
                      </span>
                    ) : (
                      <Validity key="until" end={key.expiresAt} />
                    ),
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
                        Stop trusting
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
          title="Public key, certificate (PEM) or Sigstore root (JSON)"
          pick="file"
          ending={/\.(pem|pub|crt|cer|json)$/i}
          onPick={setFile}
          onClose={() => setPicking(false)}
        />
      ) : null}
      {file === undefined ? null : (
        <AddTrustDialog file={file} onClose={() => setFile(undefined)} />
      )}
      {removing === undefined ? null : (
        <ReasonDialog
          title={`Stop trusting ${removing.name}`}
          explain="Bundles signed with this key are refused from now on. Versions that are in the vault stay, and are marked."
          act={`Stop trusting ${removing.name}`}
          kind="danger"
          onClose={() => setRemoving(undefined)}
          onConfirm={(reason) => client.trust.remove({ keyId: removing.keyId, reason })}
        />
      )}
    </>
  );
}

const soonMs = 30 * 24 * 3600 * 1000;

function Validity({ end }: { readonly end: string }) {
  const leftMs = Date.parse(end) - Date.now();
  if (leftMs > soonMs) return <Time at={end} />;
  return (
    <div>
      <Time at={end} />
      <div className="small">
        <State tone={leftMs < 0 ? 'act' : 'watch'}>{leftMs < 0 ? 'ended' : 'ends soon'}</State>
      </div>
    </div>
  );
}
