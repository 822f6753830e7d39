import type { ImportResult } from '#shared/contract/bundles.ts';
import { Page } from '../../app/Page.tsx';
import { go } from '../../app/routes.ts';
import { SaveVerdict } from '../../app/SaveVerdict.tsx';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { Digest } from '../../ui/Digest.tsx';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { overrideWord, signatureWord } from '../../ui/words.ts';

/** What came of an import, and where to go from there. */
export function Imported({
  result,
  onBack,
}: {
  readonly result: ImportResult;
  readonly onBack: () => void;
}) {
  const reference = `${result.modelName}@${result.version}`;
  return (
    <Page
      title={`Imported ${reference}`}
      action={
        <>
          <Button onClick={onBack}>Back to media</Button>
          <Button kind="primary" onClick={() => go('models', result.modelName)}>
            {`Open ${result.modelName}`}
          </Button>
        </>
      }
    >
      <Notice
        tone={result.stage === 'quarantined' ? 'watch' : 'ok'}
        title={
          result.stage === 'quarantined'
            ? `${reference} is in quarantine`
            : `${reference} is a ${result.stage}`
        }
      >
        {result.firstContact.message}{' '}
        {result.stage === 'quarantined'
          ? 'It may not run until somebody promotes it to candidate.'
          : 'It may run now, and can be promoted.'}
      </Notice>
      <div className="columns" data-of="2">
        <Panel
          title="What was stored"
          action={<SaveVerdict of={{ version: reference }} about={reference} />}
        >
          <Facts
            rows={[
              ['Version', reference],
              ['Digest', <Digest key="digest" value={result.digest} />],
              ['Files', plural(result.files.length, 'file')],
              [
                'Signature',
                `${signatureWord(result.signature.status)}${result.signature.signer === null ? '' : ` by ${result.signature.signer}`}`,
              ],
              ...(result.override === null
                ? []
                : [['Override', overrideWord(result.override)] as const]),
              [
                'First contact',
                `${result.firstContact.status}, ${plural(result.firstContact.goldenChecked, 'golden vector')} checked`,
              ],
            ]}
          />
        </Panel>
        <Panel title="What comes next">
          <ol className="steps">
            {(result.stage === 'quarantined'
              ? [
                  'Read its card, and what the gate found.',
                  'Have somebody make it a candidate, with a reason. Until then it may not run.',
                ]
              : [
                  'Read its card: what it is for, and where it fails.',
                  'Run it on a file that you know the answers to.',
                  'Promote it to production. If the policy asks for it, a second person approves.',
                ]
            ).map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </Panel>
      </div>
    </Page>
  );
}
