/** Entry of the Electron host: one window, one core, no product logic. */
import { join } from 'node:path';
import {
  app,
  BrowserWindow,
  ipcMain,
  Menu,
  powerMonitor,
  protocol,
  safeStorage,
  session,
} from 'electron';
import { defaultPinsDir, defaultVaultDir } from '#platform/paths.ts';
import { startCore } from './app/core-process.ts';
import { readWindowFiles } from './app/window-files.ts';
import { serveWindow } from './shell/ipc.ts';
import { createOsKeychain } from './shell/keychain.ts';
import { appScheme, serveFiles } from './shell/protocol.ts';
import { appOrigin, hardenContents, hardenSession, windowOptions } from './shell/security.ts';
import { createWindowSettings } from './shell/window-settings.ts';

/** Built to `.build/electron/main.mjs`; packaged beside `resources`. */
const root = app.isPackaged ? process.resourcesPath : join(import.meta.dirname, '../..');
const nodeName = process.platform === 'win32' ? 'node.exe' : 'node';
const inboxDir = argumentAfter('--inbox');

app.enableSandbox();
app.commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND');
app.commandLine.appendSwitch('disable-background-networking');
protocol.registerSchemesAsPrivileged([appScheme]);
if (!app.requestSingleInstanceLock()) app.quit();
else
  app
    .whenReady()
    .then(open)
    .catch((error: unknown) => {
      process.stderr.write(
        `strongroom: ${error instanceof Error ? error.message : 'could not start'}\n`,
      );
      app.exit(1);
    });

async function open(): Promise<void> {
  // On macOS the keys for copying and pasting belong to the menu.
  Menu.setApplicationMenu(
    process.platform === 'darwin'
      ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }])
      : null,
  );
  const settings = createWindowSettings();
  serveFiles(protocol, readWindowFiles(join(root, '.build/renderer')));
  hardenSession(session.defaultSession);
  app.on('web-contents-created', (_event, contents) => hardenContents(contents));
  const core = startCore({
    nodePath: join(root, 'node_modules/node/bin', nodeName),
    entry: join(root, 'electron/core.ts'),
    vaultDir: argumentAfter('--vault') ?? defaultVaultDir(),
    pinsDir: argumentAfter('--pins') ?? process.env['STRONGROOM_PINS'] ?? defaultPinsDir(),
    host: 'electron',
    keychain: createOsKeychain({
      safeStorage,
      dir: join(app.getPath('userData'), 'keychain'),
      platform: process.platform,
    }),
    ...(inboxDir === undefined ? {} : { inboxDir }),
  });
  const window = new BrowserWindow({
    ...windowOptions(join(import.meta.dirname, 'preload.cjs')),
    ...settings.read(),
  });
  serveWindow({ ipcMain, contents: window.webContents, core });
  // Told by Windows and macOS only.
  powerMonitor.on('lock-screen', () => {
    core.screenLocked().catch(() => app.quit()); // no core, nothing open
  });
  core.onExit(() => app.quit());
  window.once('ready-to-show', () => window.show());
  window.on('close', () => settings.write(window.getBounds()));
  app.on('second-instance', () => window.focus());
  app.on('window-all-closed', () => void core.close().finally(() => app.quit()));
  await window.loadURL(`${appOrigin}/`);
}

/** By hand, because Electron's own switches stand among the arguments. */
function argumentAfter(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}
