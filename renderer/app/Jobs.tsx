import { Button } from '../ui/Button.tsx';
import { State } from '../ui/State.tsx';
import { Time } from '../ui/Time.tsx';
import { JobProgress } from './JobProgress.tsx';
import { useApp } from './store.ts';

const tones = { running: 'accent', done: 'ok', failed: 'act', cancelled: 'watch' } as const;

/** Running and finished work, whatever page it was started from. */
export function Jobs({ onClose }: { readonly onClose: () => void }) {
  const operations = useApp((state) => state.operations);
  return (
    <aside className="drawer" aria-label="Jobs">
      <header>
        <h2>Jobs</h2>
        <Button size="small" kind="quiet" onClick={onClose}>
          Close
        </Button>
      </header>
      {operations.length === 0 ? (
        <p className="empty">Nothing is running. Imports, runs and checks show here.</p>
      ) : null}
      <ul>
        {operations.map((operation) => (
          <li key={operation.operationId}>
            <div className="row" data-between>
              <strong>{operation.title}</strong>
              <State tone={tones[operation.state]}>{operation.state}</State>
            </div>
            <span className="quiet small">
              <Time at={operation.startedAt} />
            </span>
            {operation.state === 'running' ? <JobProgress operation={operation} /> : null}
            {operation.error === null ? null : (
              <span className="small">{operation.error.message}</span>
            )}
          </li>
        ))}
      </ul>
    </aside>
  );
}
