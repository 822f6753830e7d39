import { useEffect, useRef } from 'react';
import type { Operation } from '#shared/contract/operations.ts';
import { duration } from '../lib/format.ts';
import { Button } from '../ui/Button.tsx';
import { State } from '../ui/State.tsx';
import { Time } from '../ui/Time.tsx';
import { jobOutcome, jobTitle } from './job-words.ts';
import { JobProgress } from './JobProgress.tsx';
import { useApp } from './store.ts';

const tones = { running: 'accent', done: 'ok', failed: 'act', cancelled: 'watch' } as const;

/** Running and finished work, whatever page it was started from. It stands beside the page and covers nothing. */
export function Jobs({ onClose }: { readonly onClose: () => void }) {
  const operations = useApp((state) => state.operations);
  const drawer = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    drawer.current?.querySelector('button')?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <aside
      className="drawer"
      aria-label="Jobs"
      ref={drawer}
      onKeyDown={(event) => (event.key === 'Escape' ? onClose() : undefined)}
    >
      <header>
        <h2>Jobs</h2>
        <Button size="small" kind="quiet" onClick={onClose}>
          Close
        </Button>
      </header>
      {operations.length === 0 ? (
        <p className="empty">
          Nothing has run since the vault was opened. Imports, runs and checks show here.
        </p>
      ) : null}
      <ul>
        {operations.map((operation) => (
          <Job key={operation.operationId} operation={operation} />
        ))}
      </ul>
    </aside>
  );
}

function Job({ operation }: { readonly operation: Operation }) {
  const { state, startedAt, finishedAt, error } = operation;
  const outcome = jobOutcome(operation);
  const seconds =
    finishedAt === null ? undefined : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  return (
    <li>
      <div className="row" data-between>
        <strong>{jobTitle(operation)}</strong>
        <State tone={tones[state]}>{state}</State>
      </div>
      <span className="quiet small">
        <Time at={startedAt} />
        {seconds === undefined ? '' : `, took ${duration(seconds)}`}
      </span>
      {state === 'running' ? <JobProgress operation={operation} /> : null}
      {outcome === undefined ? null : (
        <span className="small wrap-anywhere">
          {outcome.href === undefined ? outcome.text : <a href={outcome.href}>{outcome.text}</a>}
        </span>
      )}
      {error === null ? null : <span className="small wrap-anywhere">{error.message}</span>}
    </li>
  );
}
