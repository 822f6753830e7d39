/**
 * Does the window stay smooth while a batch takes all cores? The real window in the browser of the system, without a display:
 * the time between its frames, at rest and during a run of 200 trees. `npm run bench:window -- [ROWS]`, a million unless told.
 */
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { contract } from '#shared/contract/index.ts';
import { startCore } from '../../electron/app/core-process.ts';
import { findBrowser } from '../../electron/chromium/browser.ts';
import { openWindow } from '../../electron/chromium/window.ts';
import { appPasswords, openBareApp } from '../support/bare-app.ts';
import { signedFolder, signingKey } from '../support/bundles.ts';
import { goTo, signIn } from '../support/in-window.ts';
import { print } from './measure.ts';
import { createRandom, treeEnsemble } from './scoring-models.ts';

const rows = Number(process.argv[2] ?? '1000000');
const longMs = 50;
const dir = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));

try {
  await makeVault();
  const inboxDir = join(dir, 'stick');
  mkdirSync(inboxDir);
  await writeNumbers(join(inboxDir, 'wide.csv'));
  const browserPath = findBrowser();
  if (browserPath === undefined) throw new Error('There is no browser here.');
  const core = startCore({
    nodePath: process.execPath,
    vaultDir: join(dir, 'vault'),
    pinsDir: join(dir, 'pins'),
    inboxDir,
    host: 'chromium',
  });
  const filesDir = join(import.meta.dirname, '../../.build/renderer');
  const window = await openWindow({ core, browserPath, filesDir, headless: true });
  const { page } = window;
  page.setDefaultTimeout(60_000);
  await prepareRun(page);
  const atRest = await framesDuring(page, () => delay(6000));
  const busy = await framesDuring(page, async () => {
    await page.getByRole('button', { name: 'Start run' }).click();
    await page.getByText(`${rows.toLocaleString('en')} rows scored`).waitFor({ timeout: 600_000 });
  });
  await window.close();
  await core.close();
  print(`Frames of the window, 200 trees, ${rows.toLocaleString('en')} rows`, [
    ['at rest', words(atRest)],
    ['during the run', words(busy)],
  ]);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function makeVault(): Promise<void> {
  const { app, client, wait } = openBareApp(dir);
  await client.vault.create({ user: 'ada', password: appPasswords.ada });
  await client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
  await client.vault.seal(null);
  await client.vault.signIn({ user: 'grace', password: appPasswords.grace });
  const folder = join(dir, 'trees');
  mkdirSync(folder);
  await signedFolder(folder, { 'model.onnx': treeEnsemble().bytes });
  await wait(
    contract.bundles.import,
    client.bundles.import({ source: app.admitFile(folder), name: 'trees' }),
  );
  await app.close();
}

async function writeNumbers(path: string): Promise<void> {
  const random = createRandom();
  const file = createWriteStream(path);
  file.write(`${Array.from({ length: 30 }, (_, at) => `x_${at}`).join(',')}\n`);
  for (let row = 0; row < rows; row += 1)
    if (
      !file.write(`${Array.from({ length: 30 }, () => (random() * 6 - 3).toFixed(6)).join(',')}\n`)
    )
      await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

async function prepareRun(page: Page): Promise<void> {
  await signIn(page, 'grace');
  await goTo(page, 'Run');
  await page.getByRole('button', { name: 'Choose a file' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^wide\.csv/ })
    .click();
  await page.getByText(/Every input of trees@1/).waitFor();
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await page.getByRole('button', { name: 'Use this folder' }).click();
}

/** Milliseconds between the frames that the page was given. */
async function framesDuring(page: Page, work: () => Promise<unknown>): Promise<readonly number[]> {
  await page.evaluate(`{
    const gaps = (globalThis.gaps = []);
    let last;
    const frame = (at) => {
      if (globalThis.gaps !== gaps) return;
      if (last !== undefined) gaps.push(at - last);
      last = at;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }`);
  await work();
  return page.evaluate('{ const { gaps } = globalThis; globalThis.gaps = undefined; gaps; }');
}

function words(gaps: readonly number[]): string {
  const long = gaps.filter((gap) => gap > longMs).length;
  return `${gaps.length} frames, the longest ${Math.max(...gaps).toFixed(0)} ms, ${long} over ${longMs} ms`;
}
