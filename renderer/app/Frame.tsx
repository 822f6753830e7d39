import {
  IconActivity,
  IconBox,
  IconBuildingBank,
  IconClipboardList,
  IconDeviceUsb,
  IconHome,
  IconMoon,
  IconPlayerPlay,
  IconReport,
  IconSettings,
  IconSun,
} from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { contract } from '#shared/contract/index.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Facts } from '../ui/Facts.tsx';
import { client } from './client.ts';
import { Jobs } from './Jobs.tsx';
import { Palette } from './Palette.tsx';
import { SealDialog, useSeal } from './SealDialog.tsx';
import { go, linkTo, useRoute } from './routes.ts';
import { useMay } from './session.ts';
import { Strip } from './Strip.tsx';
import { currentTheme, setTheme } from './theme.ts';

const pages = [
  { name: 'Overview', path: 'overview', icon: IconHome, needs: contract.models.list },
  { name: 'Media', path: 'media', icon: IconDeviceUsb, needs: contract.bundles.inspect },
  { name: 'Models', path: 'models', icon: IconBox, needs: contract.models.list },
  { name: 'Run', path: 'run', icon: IconPlayerPlay, needs: contract.runs.start },
  { name: 'Monitor', path: 'monitor', icon: IconActivity, needs: contract.monitor.show },
  { name: 'Audit', path: 'audit', icon: IconClipboardList, needs: contract.audit.list },
  { name: 'Reports', path: 'reports', icon: IconReport, needs: contract.reports.list },
  { name: 'Admin', path: 'admin', icon: IconSettings, needs: contract.users.list },
] as const;

const touchEveryMs = 60_000;

/** The frame around every page: rail, strip, jobs, palette, keys. */
export function Frame({ children }: { readonly children: ReactNode }) {
  const [section = 'overview'] = useRoute();
  const may = useMay();
  const [open, setOpen] = useState<'palette' | 'keys' | 'seal'>();
  const [jobs, setJobs] = useState(false);
  const seal = useSeal(() => setOpen('seal'));
  const [dark, setDark] = useState(document.documentElement.dataset['theme'] === 'dark');
  const shown = pages.filter(({ needs }) => may(needs));
  const paths = shown.map(({ path }) => path).join(' ');
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof HTMLElement &&
        /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setOpen('palette');
      } else if (event.altKey && /^[1-9]$/.test(event.key)) {
        const path = paths.split(' ')[Number(event.key) - 1];
        if (path !== undefined) go(path);
        event.preventDefault();
      } else if (event.altKey && event.key.toLowerCase() === 'j') setJobs((shows) => !shows);
      else if (event.key === '?' && !typing) setOpen('keys');
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [paths]);
  useEffect(() => {
    let last = Date.now();
    const onWork = (): void => {
      if (Date.now() - last < touchEveryMs) return;
      last = Date.now();
      void client.vault.touch(null).catch(() => undefined); // sealed meanwhile: the status says so
    };
    window.addEventListener('pointerdown', onWork);
    window.addEventListener('keydown', onWork);
    return () => {
      window.removeEventListener('pointerdown', onWork);
      window.removeEventListener('keydown', onWork);
    };
  }, []);
  const toggleTheme = (): void => {
    setTheme(dark ? 'light' : 'dark');
    setDark(currentTheme() === 'dark');
  };
  return (
    <div className="frame">
      <nav className="rail" aria-label="Pages">
        <div className="brand">
          <IconBuildingBank size={18} aria-hidden />
          <span>Strongroom</span>
        </div>
        {shown.map(({ name, path, icon: Icon }) => (
          <a
            key={path}
            href={linkTo(path)}
            title={name}
            {...(section === path ? { 'aria-current': 'page' as const } : {})}
          >
            <Icon size={17} aria-hidden />
            <span>{name}</span>
          </a>
        ))}
        <div className="spacer" />
        <Button
          kind="quiet"
          size="small"
          onClick={toggleTheme}
          icon={dark ? <IconSun size={15} aria-hidden /> : <IconMoon size={15} aria-hidden />}
        >
          <span>{dark ? 'Light' : 'Dark'}</span>
        </Button>
      </nav>
      {children}
      {jobs ? <Jobs onClose={() => setJobs(false)} /> : null}
      <Strip jobs={jobs} onJobs={() => setJobs(!jobs)} onSeal={seal} />
      {open === 'palette' ? (
        <Palette pages={shown} onSeal={seal} onClose={() => setOpen(undefined)} />
      ) : null}
      {open === 'seal' ? <SealDialog onClose={() => setOpen(undefined)} /> : null}
      {open === 'keys' ? (
        <Dialog title="Keys" onClose={() => setOpen(undefined)}>
          <Facts
            rows={[
              ['Ctrl+K', 'go to a page, model, run or log entry'],
              ['Alt+1 to Alt+8', 'the pages, from the top'],
              ['Alt+J', 'jobs, shown or hidden'],
              ['?', 'this list'],
              ['Tab, Enter', 'move and act'],
              ['Esc', 'close what is in front'],
            ]}
          />
        </Dialog>
      ) : null}
    </div>
  );
}
