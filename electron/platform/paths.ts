/** Paths: where this user's data belongs on this system, and which one lies in which. */
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';

export function dataDir(): string {
  switch (process.platform) {
    case 'win32':
      return join(process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Strongroom');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'Strongroom');
    default:
      return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'strongroom');
  }
}

/** What this computer keeps of its vaults outside of them. */
export function defaultPinsDir(): string {
  switch (process.platform) {
    case 'win32':
      return join(
        process.env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'),
        'Strongroom',
        'pins',
      );
    case 'darwin':
      return join(dataDir(), 'pins');
    default:
      return join(
        process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'),
        'strongroom',
        'pins',
      );
  }
}

export function defaultVaultDir(): string {
  return join(dataDir(), 'vault');
}

/** Whether `path` is `folder` or lies in it. Links are resolved as far as the paths exist. */
export function isInside(path: string, folder: string): boolean {
  const between = relative(resolved(folder), resolved(path));
  return between === '' || (!/^\.\.([/\\]|$)/.test(between) && !isAbsolute(between));
}

/** By the nearest folder that exists: the rest of the path is only a name yet. */
function resolved(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(resolved(parent), basename(path));
  }
}
