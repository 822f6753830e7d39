/**
 * The sample story, played for real in a fresh folder: vault, people, a signed bundle from an inbox, approval by a second
 * person, two months of data, drift, the log, a report that is checked without the vault. Then the window on it (in Electron
 * with `--electron PATH`, else in the system's browser); with no display, screenshots instead. `--into DIR` names the folder. Any step that does not do what it says ends the story with an error.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomBytes } from 'node:crypto';
import { contract, type AppClient } from '#shared/contract/index.ts';
import { AppError } from '#shared/errors.ts';
import { createClient, type Started } from '#shared/rpc.ts';
import type { Operation } from '#shared/contract/operations.ts';
import type { z } from 'zod';
import { startCore, type Core } from './app/core-process.ts';
import { findBrowser } from './chromium/browser.ts';
import { openWindow } from './chromium/window.ts';

const root = join(import.meta.dirname, '..');
const sample = join(root, 'resources/sample');
const stamp = new Date().toISOString().slice(0, 23).replaceAll(/[:.]/g, '-');
const { electron, into } = parseArgs({
  options: { electron: { type: 'string' }, into: { type: 'string' } },
}).values;
const home = into ?? join(root, '.quickstart', stamp);
const inbox = join(home, 'usb-stick');
const results = join(home, 'results');
const filesDir = join(root, '.build/renderer');
const vaultDir = join(home, 'vault');
const pinsDir = join(home, 'pins');

const password = (): string => `sample-${randomBytes(6).toString('hex')}`;
const people = {
  ada: { role: 'administrator', password: password() },
  grace: { role: 'analyst', password: password() },
  alan: { role: 'approver', password: password() },
  audrey: { role: 'auditor', password: password() },
} as const;

let core: Core | undefined;
try {
  mkdirSync(results, { recursive: true });
  cpSync(join(sample, 'credit-risk'), join(inbox, 'credit-risk'), { recursive: true });
  cpSync(join(sample, 'data'), join(inbox, 'data'), { recursive: true });
  cpSync(
    join(sample, 'keys/SAMPLE-ONLY-do-not-trust.pub.pem'),
    join(inbox, 'SAMPLE-ONLY-do-not-trust.pub.pem'),
  );
  core = startCore({
    nodePath: process.execPath,
    vaultDir,
    pinsDir,
    inboxDir: inbox,
    host: 'chromium',
  });
  await play(core);
  await show(core);
} catch (error) {
  process.stderr.write(
    `\nThe story ended early. ${error instanceof AppError ? `${error.code}: ${error.message}` : String(error)}\n`,
  );
  process.exitCode = 1;
} finally {
  await core?.close();
}

async function play(running: Core): Promise<void> {
  const client = createClient(contract, running.invoke);
  const tell = (title: string, result: string): void =>
    void process.stdout.write(`  ${title.padEnd(34)} ${result}\n`);
  const as = async (name: keyof typeof people): Promise<void> => {
    if ((await client.vault.status(null)).state === 'open') await client.vault.seal(null);
    await client.vault.signIn({ user: name, password: people[name].password });
  };
  process.stdout.write(`\nThe sample story, in ${home}\n\n`);

  const created = await client.vault.create({ user: 'ada', password: people.ada.password });
  writeFileSync(join(home, 'recovery-key.txt'), `${created.recoveryKey}\n`, { mode: 0o600 });
  tell('ada creates the vault', `${created.vaultId}, recovery key in recovery-key.txt`);
  for (const name of ['grace', 'alan', 'audrey'] as const)
    await client.users.add({ name, role: people[name].role, password: people[name].password });
  tell('and adds three people', 'grace (analyst), alan (approver), audrey (auditor)');

  const bundle = await running.admit(join(inbox, 'credit-risk'));
  await as('grace');
  const before = await wait(
    running,
    client,
    contract.bundles.inspect,
    client.bundles.inspect({ source: bundle }),
  );
  expect(before.verdict === 'refuse', 'the bundle is refused before its key is trusted');
  tell('grace inspects the bundle', `refused: signature ${before.signature.status}`);

  await as('ada');
  const trusted = await client.trust.add({
    name: 'SAMPLE ONLY',
    file: await running.admit(join(inbox, 'SAMPLE-ONLY-do-not-trust.pub.pem')),
    reason: 'quickstart: the key of the sample, trusted nowhere else',
  });
  tell('ada trusts the key of the sample', `${trusted.algorithm}, ${trusted.keyId.slice(0, 16)}…`);

  await as('grace');
  const imported = await wait(
    running,
    client,
    contract.bundles.import,
    client.bundles.import({ source: bundle }),
  );
  expect(
    imported.signature.status === 'verified' && imported.firstContact.status === 'passed',
    'the bundle is verified and its golden vectors come out',
  );
  const version = `${imported.modelName}@${imported.version}`;
  tell(
    'grace imports it',
    `${version}, ${imported.firstContact.goldenChecked} golden vectors computed, ${imported.stage}`,
  );
  const asked = await client.models.promote({ version, to: 'production', reason: 'first release' });
  expect(asked.status === 'pending', 'a promotion waits for a second person');
  tell('grace asks for production', 'waits for somebody else');
  await as('alan');
  const approved = await client.models.approve({
    version,
    reason: 'card, findings and golden vectors looked at',
  });
  expect(approved.stage === 'production', 'the approval puts it into production');
  tell('alan approves', approved.message);

  await as('grace');
  for (const month of ['normal-month', 'drifted-month'] as const) {
    const input = {
      version: imported.modelName,
      input: await running.admit(join(inbox, 'data', `${month}.csv`)),
      folder: await running.admit(results),
      name: `${month}.scored.csv`,
    };
    const run = await wait(running, client, contract.runs.start, client.runs.start(input));
    const view = await client.monitor.show({ version, runId: run.runId });
    expect(
      view.state === (month === 'normal-month' ? 'ok' : 'act'),
      `the ${month} is told for what it is`,
    );
    tell(
      `grace scores the ${month.replace('-', ' ')}`,
      `${run.rows} rows in ${run.seconds.toFixed(1)} s, ${run.rejected} rejected`,
    );
    tell('  its drift', view.summary);
  }

  await as('audrey');
  const checkpoint = await client.audit.checkpoint(null);
  writeFileSync(join(results, 'checkpoint.txt'), checkpoint.text);
  const made = await wait(
    running,
    client,
    contract.reports.make,
    client.reports.make({
      kind: 'production-history',
      folder: await running.admit(results),
      name: 'production-history.pdf',
    }),
  );
  const log = await wait(
    running,
    client,
    contract.audit.verify,
    client.audit.verify({ against: [await running.admit(join(results, 'checkpoint.txt'))] }),
  );
  expect(log.status === 'intact', 'the log is intact');
  tell('audrey verifies the log', log.message);
  tell('and makes a report', `${made.name}, ${made.entries} entries as evidence`);
  await client.vault.seal(null);
  const report = await running.admit(join(results, 'production-history.pdf'));
  const verdict = await wait(
    running,
    client,
    contract.reports.verify,
    client.reports.verify({ file: report, verifierKey: checkpoint.verifierKey }),
  );
  expect(verdict.status === 'valid', 'the report is valid');
  tell(
    'anybody verifies it, vault sealed',
    `${verdict.status}: ${verdict.checks.length} checks hold`,
  );
  const changed = readFileSync(join(results, 'production-history.pdf'));
  changed[1000] = (changed[1000] ?? 0) ^ 1;
  writeFileSync(join(home, 'changed.pdf'), changed);
  const broken = await wait(
    running,
    client,
    contract.reports.verify,
    client.reports.verify({ file: await running.admit(join(home, 'changed.pdf')) }),
  );
  expect(broken.status === 'invalid', 'a changed report is found');
  tell('with one bit changed', 'invalid, as it must be');
}

async function show(running: Core): Promise<void> {
  process.stdout.write(
    `\nResults: ${results}\n  production-history.pdf, checkpoint.txt, *.scored.csv and their rejects\n\nPeople of this sample vault, and their passwords:\n`,
  );
  for (const [name, { role, password: secret }] of Object.entries(people))
    process.stdout.write(`  ${name.padEnd(8)} ${role.padEnd(14)} ${secret}\n`);
  if (electron !== undefined) {
    process.stdout.write('\nOpening the window in Electron. Close it to end.\n');
    // Electron starts a core of its own, and a vault has one at a time.
    await running.close();
    const main = join(root, '.build/electron/main.mjs');
    const { status } = spawnSync(
      electron,
      [main, '--vault', vaultDir, '--pins', pinsDir, '--inbox', inbox],
      {
        stdio: 'inherit',
      },
    );
    if (status !== 0) throw new AppError('unavailable', 'Electron could not show the window.');
    return;
  }
  const browserPath = findBrowser();
  if (browserPath === undefined)
    throw new AppError('unavailable', 'No Chromium, Chrome or Edge was found to show the window.');
  const hasDisplay =
    process.platform !== 'linux' ||
    [process.env['DISPLAY'], process.env['WAYLAND_DISPLAY']].some((name) => (name ?? '') !== '');
  if (hasDisplay) {
    process.stdout.write('\nOpening the window. Close it to end.\n');
    const window = await openWindow({ core: running, browserPath, filesDir, headless: false });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => void window.close());
    await window.closed;
    return;
  }
  process.stdout.write(
    '\nThere is no display here, so the window is not opened. Taking screenshots instead.\n',
  );
  await takeScreenshots(running, browserPath);
  process.stdout.write(`Screenshots: ${join(results, 'screenshots')}\n`);
}

async function takeScreenshots(running: Core, browserPath: string): Promise<void> {
  const dir = join(results, 'screenshots');
  mkdirSync(dir, { recursive: true });
  const window = await openWindow({ core: running, browserPath, filesDir, headless: true });
  const { page } = window;
  try {
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.screenshot({ path: join(dir, '0-sign-in.png') });
    await page.getByLabel('Name').fill('grace');
    await page.getByLabel('Password', { exact: true }).fill(people.grace.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    for (const scheme of ['light', 'dark'] as const) {
      if (scheme === 'dark') await page.getByRole('button', { name: 'Dark' }).click();
      // Off what it clicked, so that no row lies under it.
      await page.mouse.move(0, 0);
      const views = [
        ['1-overview', '#/overview', 'Overview'],
        ['2-media', '#/media', 'Media'],
        ['3-model', '#/models/credit-risk', 'credit-risk'],
        ['4-monitor', '#/monitor/credit-risk', 'Monitor credit-risk'],
        ['5-audit', '#/audit/3', 'Audit'],
        ['6-reports', '#/reports', 'Reports'],
      ] as const;
      for (const [name, hash, heading] of views) {
        await page.goto(`https://app.invalid/${hash}`);
        await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
        await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
        await page.screenshot({ path: join(dir, `${name}-${scheme}.png`) });
      }
    }
  } finally {
    await window.close();
  }
}

/** Waits for a job with its progress on the terminal, and checks its result. */
async function wait<O extends z.ZodType>(
  running: Core,
  client: AppClient,
  declared: { readonly output: O },
  started: Promise<Started>,
): Promise<z.infer<O>> {
  const { operationId } = await started;
  const operation = await new Promise<Operation>((resolve, reject) => {
    const look = (): void => {
      client.operations.get({ operationId }).then((state) => {
        if (state.state === 'running') {
          if (process.stdout.isTTY)
            process.stdout.write(
              `\r  ${state.step} ${state.total === null ? '' : `${Math.round((state.done / state.total) * 100)} %`}\u001b[K`,
            );
          return;
        }
        stop();
        if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
        resolve(state);
      }, reject);
    };
    const stop = running.onEvent((event) => {
      if (event.kind === 'operation' && event.operationId === operationId) look();
    });
    look();
  });
  if (operation.error !== null) throw new AppError(operation.error.code, operation.error.message);
  return declared.output.parse(operation.result);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new AppError('internal', `The story expected that ${what}, and it is not so.`);
}
