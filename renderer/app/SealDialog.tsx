import { plural } from '../lib/format.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { client } from './client.ts';
import { jobTitle } from './job-words.ts';
import { useApp } from './store.ts';

/** Seals at once when nothing is running; else a person decides, because sealing stops the work. */
export function useSeal(ask: () => void): () => void {
  const busy = useApp(({ operations }) => operations.some(({ state }) => state === 'running'));
  return () => {
    if (busy) ask();
    else void client.vault.seal(null);
  };
}

export function SealDialog({ onClose }: { readonly onClose: () => void }) {
  const operations = useApp((state) => state.operations);
  const running = operations.filter(({ state }) => state === 'running');
  return (
    <Dialog title="Seal the vault now" onClose={onClose}>
      <p className="quiet">
        {running.length === 0
          ? 'Nothing is running any more.'
          : `${plural(running.length, 'job is', 'jobs are')} still running: ${running.map(jobTitle).join(', ')}. Sealing stops the work. No half result is kept, and it can be started again.`}
      </p>
      <footer>
        <Button kind="quiet" onClick={onClose}>
          Keep working
        </Button>
        <Button kind="danger" onClick={() => void client.vault.seal(null)}>
          {running.length === 0 ? 'Seal' : 'Stop and seal'}
        </Button>
      </footer>
    </Dialog>
  );
}
