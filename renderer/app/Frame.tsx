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
import { linkTo, useRoute } from './routes.ts';
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
  const [open, setOpen] = useState<'palette' | 'keys' | 'jobs'>();
  const [dark, setDark] = useState(document.documentElement.dataset['theme'] === 'dark');
  const shown = pages.filter(({ needs }) => may(needs));
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof HTMLElement &&
        /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setOpen('palette');
      } else if (event.key === '?' && !typing) setOpen('keys');
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
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
          {dark ? 'Light' : 'Dark'}
        </Button>
      </nav>
      {children}
      <Strip onJobs={() => setOpen(open === 'jobs' ? undefined : 'jobs')} />
      {open === 'jobs' ? <Jobs onClose={() => setOpen(undefined)} /> : null}
      {open === 'palette' ? <Palette pages={shown} onClose={() => setOpen(undefined)} /> : null}
      {open === 'keys' ? (
        <Dialog title="Keys" onClose={() => setOpen(undefined)}>
          <Facts
            rows={[
              ['Ctrl+K', 'go to a page, model, run or log entry'],
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
