import {
  IconLock,
  IconPlugConnected,
  IconPlugConnectedX,
  IconShieldCheck,
  IconShieldX,
  IconUser,
} from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { ago, clock, plural } from '../lib/format.ts';
import { client } from './client.ts';
import { linkTo } from './routes.ts';
import { refreshStatus, useApp } from './store.ts';
import { useQuery } from './use-query.ts';

/** Always there: offline, who, how long the vault stays open, and what is known of the log. */
export function Strip({
  jobs,
  onJobs,
  onSeal,
}: {
  readonly jobs: boolean;
  readonly onJobs: () => void;
  readonly onSeal: () => void;
}) {
  const status = useApp((state) => state.status);
  const running = useApp(
    ({ operations }) => operations.filter(({ state }) => state === 'running').length,
  );
  const [now, setNow] = useState(new Date());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(new Date());
      void refreshStatus();
    }, 30_000);
    return () => clearInterval(timer);
  }, []);
  const session = status?.session;
  const log = status?.log;
  return (
    <footer className="strip" aria-label="Status">
      {session === null || session === undefined ? (
        <Offline />
      ) : (
        <>
          <Reach />
          <span className="item">
            <IconUser size={14} aria-hidden /> {session.user}, {session.role}
          </span>
          <span className="item">
            <IconLock size={14} aria-hidden /> Open until {clock(session.sealsAt)}
            <button type="button" onClick={onSeal}>
              Seal now
            </button>
          </span>
        </>
      )}
      <span className="spacer" />
      <button type="button" aria-expanded={jobs} onClick={onJobs}>
        {running === 0 ? 'Jobs' : `Jobs (${running} running)`}
      </button>
      {log === null || log === undefined ? null : (
        <span className="item" title={`Root ${log.root}`}>
          {log.lastVerified?.status === 'broken' ? (
            <IconShieldX size={14} aria-hidden />
          ) : (
            <IconShieldCheck size={14} aria-hidden />
          )}
          Log {plural(log.size, 'entry', 'entries')} ·{' '}
          {log.lastVerified === null
            ? 'not verified in this session'
            : `${log.lastVerified.status}, verified ${ago(log.lastVerified.at, now)}`}
        </span>
      )}
    </footer>
  );
}

function Offline() {
  return (
    <span className="item">
      <IconPlugConnectedX size={14} aria-hidden /> Offline
    </span>
  );
}

/** Offline also while models are served: the port can be reached from this computer alone. */
function Reach() {
  const serving = useQuery('serving', () => client.serving.status(null), ['serving', 'policy']);
  const address = serving.data?.listening?.address;
  return (
    <>
      <Offline />
      {address === undefined ? null : (
        <a className="item" href={linkTo('admin', 'serving')}>
          <IconPlugConnected size={14} aria-hidden /> Serving on {address}
        </a>
      )}
    </>
  );
}
