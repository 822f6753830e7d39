import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FuseV1Options } from '@electron/fuses';
import { describe, expect, test } from 'vitest';
import { channels } from '#shared/bridge.ts';
import { contentSecurityPolicy, readWindowFiles } from '#app/window-files.ts';
import type { Core } from '#app/core-process.ts';
import { fuses } from '../../../electron/shell/fuses.ts';
import { isExpectedSender, serveWindow } from '../../../electron/shell/ipc.ts';
import { appScheme, serveFiles } from '../../../electron/shell/protocol.ts';
import {
  hardenContents,
  hardenSession,
  isOwnUrl,
  windowOptions,
} from '../../../electron/shell/security.ts';
import { temporaryFolder } from '../../support/vaults.ts';
import { writeFolder } from '../../support/bundles.ts';

type Handler = (...values: unknown[]) => unknown;

/** Records what is set on it; the functions under test take the few parts of Electron that they need. */
function recorder(): { target: never; calls: Map<string, Handler> } {
  const calls = new Map<string, Handler>();
  const target = new Proxy(
    {},
    {
      get:
        (_empty, name) =>
        (...values: unknown[]) =>
          calls.set(
            typeof values[0] === 'string' ? `${String(name)} ${values[0]}` : String(name),
            values.at(-1) as Handler,
          ),
    },
  );
  return { target: target as never, calls };
}

function answerOf(handler: Handler | undefined, ...values: unknown[]): unknown {
  let answer: unknown;
  handler?.(...values, (given: unknown) => (answer = given));
  return answer;
}

describe('the Electron window', () => {
  test('is sandboxed, isolated and without Node', () => {
    expect(windowOptions('/preload.cjs').webPreferences).toEqual({
      preload: '/preload.cjs',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      enableWebSQL: false,
      devTools: false,
    });
  });

  test('has no permission, no device, no download, and no request that leaves the application', () => {
    const { target, calls } = recorder();
    const web = recorder();
    hardenSession(
      Object.assign(Object.create(target) as object, { webRequest: web.target }) as never,
    );
    expect(answerOf(calls.get('setPermissionRequestHandler'), {}, 'media')).toBe(false);
    expect(calls.get('setPermissionCheckHandler')?.()).toBe(false);
    expect(calls.get('setDevicePermissionHandler')?.()).toBe(false);
    let prevented = false;
    calls.get('on will-download')?.({ preventDefault: () => (prevented = true) });
    expect(prevented).toBe(true);
    const decide = web.calls.get('onBeforeRequest');
    for (const url of [
      'https://example.org/',
      'http://127.0.0.1/',
      'file:///etc/passwd',
      'app://mainly/x',
      'ws://example.org',
      'devtools://x',
    ]) {
      expect(answerOf(decide, { url }), url).toEqual({ cancel: true });
    }
    expect(answerOf(decide, { url: 'app://main/index.html' })).toEqual({ cancel: false });
  });

  test('goes nowhere, opens nothing and embeds nothing', () => {
    const { target, calls } = recorder();
    hardenContents(target);
    expect(calls.get('setWindowOpenHandler')?.()).toEqual({ action: 'deny' });
    for (const event of ['will-navigate', 'will-redirect', 'will-attach-webview']) {
      let prevented = false;
      calls.get(`on ${event}`)?.({ preventDefault: () => (prevented = true) });
      expect(prevented, event).toBe(true);
    }
  });

  test('answers calls of its own main frame only', async () => {
    const mainFrame = { url: 'app://main/' };
    const sent: unknown[] = [];
    const contents = {
      mainFrame,
      isDestroyed: () => sent.length > 0,
      send: (...values: unknown[]) => sent.push(values),
    };
    expect(
      isExpectedSender({ sender: contents, senderFrame: mainFrame } as never, contents as never),
    ).toBe(true);
    for (const [sender, senderFrame] of [
      [contents, { url: 'app://main/' }],
      [{}, mainFrame],
      [contents, null],
    ]) {
      expect(isExpectedSender({ sender, senderFrame } as never, contents as never)).toBe(false);
    }
    const away = { url: 'https://example.org/' };
    expect(
      isExpectedSender(
        { sender: contents, senderFrame: away } as never,
        { mainFrame: away } as never,
      ),
    ).toBe(false);

    const { target, calls } = recorder();
    const core = {
      invoke: async (path: string) => ({ ok: true, value: path }),
      onEvent: (listener: Handler) => listener({ kind: 'changed', topic: 'vault' }),
    } as unknown as Core;
    serveWindow({ ipcMain: target, contents: contents as never, core });
    const invoke = calls.get(`handle ${channels.invoke}`);
    expect(
      await invoke?.({ sender: contents, senderFrame: mainFrame }, 'vault.status', null),
    ).toEqual({ ok: true, value: 'vault.status' });
    expect(
      await invoke?.({ sender: contents, senderFrame: null }, 'vault.status', null),
    ).toMatchObject({ ok: false, error: { code: 'forbidden' } });
    expect(sent).toEqual([[channels.event, { kind: 'changed', topic: 'vault' }]]);
  });

  test('is served from a closed set of files with the policy of every host', async () => {
    const dir = writeFolder(temporaryFolder(), {
      'index.html': '<!doctype html>',
      'assets/a.js': 'export {}',
      'secret.txt': 'no',
    });
    const { target, calls } = recorder();
    serveFiles(target, readWindowFiles(dir));
    const get = (url: string, method = 'GET'): Response =>
      calls.get('handle app')?.({ url, method }) as Response;
    expect(await get('app://main/').text()).toBe('<!doctype html>');
    expect(get('app://main/assets/a.js').headers.get('Content-Type')).toContain('javascript');
    for (const url of [
      'app://main/secret.txt',
      'app://main/../package.json',
      'app://other/',
      'app://main/assets/',
    ])
      expect(get(url).status, url).toBe(404);
    expect(get('app://main/', 'POST').status).toBe(404);
    expect(get('app://main/').headers.get('Content-Security-Policy')).toBe(contentSecurityPolicy);
    expect(contentSecurityPolicy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    );
    expect(appScheme).toMatchObject({
      scheme: 'app',
      privileges: { standard: true, secure: true, supportFetchAPI: false },
    });
    expect(() => readWindowFiles(join(dir, 'not-built'))).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    );
  });

  test('knows its own addresses from look-alikes', () => {
    expect(['app://main', 'app://main/', 'app://main/a.js'].map(isOwnUrl)).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      ['app://main.evil/', 'app://mainly', 'https://main/', 'file:///main'].map(isOwnUrl),
    ).toEqual([false, false, false, false]);
  });

  test('the fuses leave no way to run the binary as something else', () => {
    expect(fuses[FuseV1Options.RunAsNode]).toBe(false);
    expect(fuses[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(false);
    expect(fuses[FuseV1Options.EnableNodeCliInspectArguments]).toBe(false);
    expect(fuses[FuseV1Options.OnlyLoadAppFromAsar]).toBe(true);
    expect(fuses[FuseV1Options.EnableEmbeddedAsarIntegrityValidation]).toBe(true);
    expect(fuses[FuseV1Options.GrantFileProtocolExtraPrivileges]).toBe(false);
  });

  test('the preload hands over the bridge and nothing else', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../electron/preload.ts'), 'utf8');
    expect(text.match(/exposeInMainWorld/g)).toHaveLength(1);
    expect(text.split('\n').length).toBeLessThan(40);
    expect(text).not.toMatch(/node:|require\(|ipcRenderer\.send\(/);
  });
});
