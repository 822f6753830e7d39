import type { VersionSummary } from '#shared/contract/models.ts';
import { SaveVerdict } from '../../app/SaveVerdict.tsx';
import { plural } from '../../lib/format.ts';
import { Digest } from '../../ui/Digest.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { State } from '../../ui/State.tsx';
import { Table } from '../../ui/Table.tsx';
import { Time } from '../../ui/Time.tsx';
import { overrideWord, signatureWord, signerWord, stageTone } from '../../ui/words.ts';
import { VersionActs } from './VersionActs.tsx';

/** Every version with its stage, where it came from, and what may be done with it. */
export function VersionsTab({ versions }: { readonly versions: readonly VersionSummary[] }) {
  return (
    <Panel title={plural(versions.length, 'version')} flush>
      <Table
        label="Versions"
        columns={[
          { title: 'Version' },
          { title: 'Stage' },
          { title: 'Signature' },
          { title: 'Digest' },
          { title: 'Imported' },
          { title: '' },
        ]}
        rows={versions.map((version) => ({
          key: String(version.version),
          cells: [
            <strong key="version">{`@${version.version}`}</strong>,
            <div key="stage" className="stack">
              <div className="row">
                <State tone={stageTone(version.stage)}>{version.stage}</State>
                {version.aliases.map((alias) => (
                  <span key={alias} className="quiet small">{`@${alias}`}</span>
                ))}
              </div>
              {version.pending === null ? null : (
                <span className="small">
                  {version.pending.requestedBy} asks for {version.pending.to}: “
                  {version.pending.reason}”
                </span>
              )}
            </div>,
            <div key="signature">
              {signatureWord(version.signature.status)}
              {version.signature.signer === null ? '' : ` by ${version.signature.signer}`}
              {signerWord(version.signerTrust) === undefined ? null : (
                <div className="small">
                  <State tone="watch">{signerWord(version.signerTrust)}</State>
                </div>
              )}
              {version.override === null ? null : (
                <div className="small">
                  <State tone="watch">overridden</State>
                  <div className="wrap-anywhere">{overrideWord(version.override)}</div>
                </div>
              )}
              <div>
                <SaveVerdict
                  of={{ version: `${version.model}@${version.version}` }}
                  about={`${version.model}@${version.version}`}
                  kind="link"
                />
              </div>
            </div>,
            <Digest key="digest" value={version.digest} />,
            <div key="imported">
              <Time at={version.importedAt} />
              <div className="quiet small">{version.importedBy}</div>
            </div>,
            <VersionActs key="acts" version={version} />,
          ],
        }))}
      />
    </Panel>
  );
}
