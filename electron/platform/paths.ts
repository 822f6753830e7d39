/** Where this user's data belongs on this system. */
import { homedir } from 'node:os';
import { join } from 'node:path';

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

export function defaultVaultDir(): string {
  return join(dataDir(), 'vault');
}
