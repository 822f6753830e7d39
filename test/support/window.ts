/** The real window in a real browser on a real core, for end-to-end specs. The specs know a page and nothing of the host. */
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { _electron, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { startCore } from '../../electron/app/core-process.ts';
import { findBrowser } from '../../electron/chromium/browser.ts';
import { openWindow } from '../../electron/chromium/window.ts';
import { sampleDir } from './bare-app.ts';

const root = join(import.meta.dirname, '../..');

export interface TestWindow {
  readonly host: 'chromium' | 'electron';
  readonly page: Page;
  readonly inboxDir: string;
  /** Requests that tried to leave the application. */
  refusedRequests(): readonly string[];
  close(): Promise<void>;
}

/** The hosts of this machine: the system's browser, and Electron where its runtime and a display are there. */
export function availableHosts(): TestWindow['host'][] {
  const display = process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? '';
  const hosts: TestWindow['host'][] = [];
  if (findBrowser() !== undefined) hosts.push('chromium');
  if (electronRuntime() !== undefined && (process.platform !== 'linux' || display !== ''))
    hosts.push('electron');
  if (hosts.length === 0) throw new Error('No host was found: run the tests through "npm test".');
  return hosts;
}

/** Path of Electron's binary, where its runtime is installed. */
function electronRuntime(): string | undefined {
  const name = join(root, 'node_modules/electron/path.txt');
  return existsSync(name)
    ? join(root, 'node_modules/electron/dist', readFileSync(name, 'utf8').trim())
    : undefined;
}

export async function openTestWindow(
  dir: string,
  host: TestWindow['host'] = 'chromium',
): Promise<TestWindow> {
  const window = await openOn(host, dir);
  // For a busy machine; a spec that waits in vain fails all the same.
  window.page.setDefaultTimeout(60_000);
  return window;
}

async function openOn(host: TestWindow['host'], dir: string): Promise<TestWindow> {
  const inboxDir = join(dir, 'stick');
  mkdirSync(inboxDir, { recursive: true });
  cpSync(join(sampleDir, 'credit-risk'), join(inboxDir, 'credit-risk'), { recursive: true });
  cpSync(join(sampleDir, 'data'), join(inboxDir, 'data'), { recursive: true });
  cpSync(join(sampleDir, 'keys/SAMPLE-ONLY-do-not-trust.pub.pem'), join(inboxDir, 'maker.pub.pem'));
  const vaultDir = join(dir, 'vault');
  if (host === 'electron') {
    const executablePath = electronRuntime();
    if (executablePath === undefined) throw new Error("Electron's runtime is not installed.");
    const app = await _electron.launch({
      executablePath,
      args: [
        join(root, '.build/electron/main.mjs'),
        '--vault',
        vaultDir,
        '--pins',
        join(dir, 'pins'),
        '--inbox',
        inboxDir,
      ],
    });
    return {
      host,
      page: await app.firstWindow(),
      inboxDir,
      refusedRequests: () => [],
      close: () => app.close(),
    };
  }
  const browserPath = findBrowser();
  if (browserPath === undefined)
    throw new Error('No browser was found: run the tests through "npm test".');
  const core = startCore({
    nodePath: process.execPath,
    vaultDir,
    pinsDir: join(dir, 'pins'),
    inboxDir,
    host: 'chromium',
  });
  const window = await openWindow({
    core,
    browserPath,
    filesDir: join(root, '.build/renderer'),
    headless: true,
  });
  return {
    host,
    page: window.page,
    inboxDir,
    refusedRequests: window.refusedRequests,
    async close() {
      await window.close();
      await core.close();
    },
  };
}

/** Nothing that axe can find (WCAG 2.2 A and AA). */
export async function expectAccessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    // In one page: the window closes every other one that is opened.
    .setLegacyMode(true)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(
    violations.map(
      ({ id, nodes }) =>
        `${where}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    ),
  ).toEqual([]);
}
