import { client } from '../../app/client.ts';
import { Loaded } from '../../app/Page.tsx';
import { useQuery } from '../../app/use-query.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { Dialog } from '../../ui/Dialog.tsx';

/** The newest checkpoint, to be taken away: with it, whoever keeps it finds every later change of the past. */
export function CheckpointDialog({ onClose }: { readonly onClose: () => void }) {
  const checkpoint = useQuery('checkpoint', () => client.audit.checkpoint(null), ['audit']);
  return (
    <Dialog title="Checkpoint" onClose={onClose}>
      <p className="quiet">
        Keep this outside of the vault. Whoever has it can tell later whether any entry up to here
        was changed, removed or added.
      </p>
      <Loaded query={checkpoint}>
        {({ text, verifierKey, keyHistory, earlierKeys }) => (
          <>
            <pre className="document" tabIndex={0} aria-label="Checkpoint">
              {text}
            </pre>
            <p className="small">
              Verifier key <code className="wrap-anywhere">{verifierKey}</code>
            </p>
            {earlierKeys.map((earlier) => (
              <p key={earlier.verifierKey} className="small quiet">
                Up to {plural(earlier.until, 'entry', 'entries')} it was{' '}
                <code className="wrap-anywhere">{earlier.verifierKey}</code>, which has vouched for
                the next.
              </p>
            ))}
            <footer>
              {keyHistory === null ? null : (
                <CopyButton text={keyHistory}>Copy key history</CopyButton>
              )}
              <CopyButton text={verifierKey}>Copy key</CopyButton>
              <CopyButton text={text}>Copy checkpoint</CopyButton>
              <Button kind="primary" onClick={onClose}>
                Done
              </Button>
            </footer>
          </>
        )}
      </Loaded>
    </Dialog>
  );
}
