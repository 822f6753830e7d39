import {
  IconLock,
  IconPlugConnectedX,
  IconShieldCheck,
  IconShieldX,
  IconUser,
} from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { ago, clock, count } from '../lib/format.ts';
import { client } from './client.ts';
import { refreshStatus, useApp } from './store.ts';

/** Always there: offline, who, how long the vault stays open, and what is known of the log. */
export function Strip({ onJobs }: { readonly onJobs: () => void }) {
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
      <span className="item">
        <IconPlugConnectedX size={14} aria-hidden /> Offline
      </span>
      {session === null || session === undefined ? null : (
        <>
          <span className="item">
            <IconUser size={14} aria-hidden /> {session.user}, {session.role}
          </span>
          <span className="item">
            <IconLock size={14} aria-hidden /> Open until {clock(session.sealsAt)}
            <button type="button" onClick={() => void client.vault.seal(null)}>
              Seal now
            </button>
          </span>
        </>
      )}
      <span className="spacer" />
      <button type="button" onClick={onJobs}>
        {running === 0 ? 'Jobs' : `Jobs (${running} running)`}
      </button>
      {log === null || log === undefined ? null : (
        <span className="item" title={`Root ${log.root}`}>
          {log.lastVerified?.status === 'broken' ? (
            <IconShieldX size={14} aria-hidden />
          ) : (
            <IconShieldCheck size={14} aria-hidden />
          )}
          Log {count(log.size)} ·{' '}
          {log.lastVerified === null
            ? 'not verified in this session'
            : `${log.lastVerified.status}, verified ${ago(log.lastVerified.at, now)}`}
        </span>
      )}
    </footer>
  );
}
