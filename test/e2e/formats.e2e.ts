/** A CSV from another country in, Parquet out: how it is read can be seen and said, and the result leaves a receipt. Killed runs go on or are given up. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appPasswords, importSample, openBareApp, sampleDir } from '../support/bare-app.ts';
import { goTo, signIn } from '../support/in-window.ts';
import {
  availableHosts,
  expectAccessible,
  openTestWindow,
  type TestWindow,
} from '../support/window.ts';

const shots = process.env['STRONGROOM_SHOTS'];
const killed = join(import.meta.dirname, '../support/killed-run.ts');

describe.each(availableHosts())('formats in the %s window', (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-'));
  let window: TestWindow;
  let page: Page;

  beforeAll(async () => {
    const opened = openBareApp(dir);
    const { app, client } = opened;
    await client.vault.create({ user: 'ada', password: appPasswords.ada });
    await client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
    await importSample(opened);
    await app.close();
    const [header = '', ...lines] = readFileSync(join(sampleDir, 'data/normal-month.csv'), 'utf8')
      .trim()
      .split('\n');
    const many = Array.from({ length: 6000 }, (_, at) => lines[at % lines.length]);
    writeFileSync(join(dir, 'rows.csv'), `${header}\n${many.join('\n')}\n`);
    killRun();
    const left = readdirSync(join(dir, 'results'));
    killRun();
    // Somebody has tidied up what the second one has left.
    for (const name of readdirSync(join(dir, 'results')))
      if (!left.includes(name)) rmSync(join(dir, 'results', name));
    window = await openTestWindow(dir, host);
    page = window.page;
    const csv = readFileSync(join(sampleDir, 'data/normal-month.csv'), 'utf8').split('\n');
    const other = csv.slice(0, 60).map((line) => line.replaceAll(',', ';').replaceAll('.', ','));
    writeFileSync(join(window.inboxDir, 'mai.csv'), Buffer.from(`${other.join('\n')}\n`, 'latin1'));
  });
  afterAll(async () => {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  });

  function killRun(): void {
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--no-warnings', killed, dir, '1', 'model', 'credit-risk'],
      { encoding: 'utf8' },
    );
    expect(signal, stderr).toBe('SIGKILL');
  }

  /** Newest first. */
  async function openRun(which: 'newest' | 'oldest'): Promise<void> {
    await goTo(page, 'Models');
    await page.getByRole('link', { name: 'credit-risk' }).first().click();
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    const rows = page.getByRole('row', { name: /rows\.csv/ }).getByRole('link');
    await (which === 'newest' ? rows.first() : rows.last()).click();
  }

  const shot = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
  };

  test('the first rows and the way they are read are shown, and can be corrected', async () => {
    await signIn(page, 'grace');
    await goTo(page, 'Run');
    await page.getByRole('button', { name: 'Choose a file' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^mai\.csv/ })
      .click();
    await page.getByText('Every input of credit-risk@1 has its column').waitFor();
    await page.getByRole('region', { name: 'First rows of the file' }).waitFor();
    const decimals = page.getByLabel('Decimals begin with');
    expect(await decimals.inputValue()).toBe('1');
    await shot('run-csv');
    await decimals.selectOption('point');
    await page.getByText('employment_years: Not a number.').first().waitFor();
    await shot('run-csv-wrong');
    await page.getByLabel('Read as').selectOption('JSON Lines file');
    await page.getByRole('alert').first().waitFor();
    await shot('run-not-jsonl');
    await page.getByRole('button', { name: 'Tell it from the file again' }).click();
    await page.getByLabel('Texts stand in').selectOption('none: quotes mean nothing');
    await page.getByText('Every input of credit-risk@1 has its column').waitFor();
    await page.getByRole('button', { name: 'Tell it from the file again' }).click();
    await expect.poll(() => decimals.inputValue()).toBe('1');
    await expectAccessible(page, 'run with a file');
  });

  test('a result is written as Parquet, with a receipt that can be saved again', async () => {
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByLabel('Format of the result').selectOption('Parquet');
    await page.getByRole('button', { name: 'Start run' }).click();
    await page.getByText('CSV file in, Parquet out').waitFor();
    const output = join(window.inboxDir, 'mai.predictions.parquet');
    expect(readFileSync(output).subarray(0, 4).toString()).toBe('PAR1');
    expect(existsSync(`${output}.receipt.json`)).toBe(true);
    await expectAccessible(page, 'result of a run');
    await shot('run-result');
    await page.getByRole('button', { name: 'Save receipt…' }).click();
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByLabel('Name of the file').fill('again.json');
    await page.getByRole('button', { name: 'Write receipt' }).click();
    await page.getByText('Written', { exact: true }).waitFor();
    expect(readFileSync(join(window.inboxDir, 'again.json'))).toEqual(
      readFileSync(`${output}.receipt.json`),
    );
  });

  test('a receipt is compared with the input, wherever that is by now', async () => {
    await page.keyboard.press('Escape');
    renameSync(join(window.inboxDir, 'mai.csv'), join(window.inboxDir, 'moved.csv'));
    await goTo(page, 'Reports');
    const pick = async (button: string, name: RegExp): Promise<void> => {
      await page.getByRole('button', { name: button, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name }).click();
    };
    await pick('Verify a file', /^again\.json/);
    await page.getByText('again.json is valid').waitFor();
    await expectAccessible(page, 'a receipt without its input');
    await shot('receipt-without-input');
    await pick('Compare the input', /^maker\.pub\.pem/);
    await page.getByText('again.json is of another input').waitFor();
    await pick('Verify a file', /^again\.json/);
    await pick('Compare the input', /^moved\.csv/);
    await page.getByText('moved.csv is the file that the run read.').waitFor();
    await shot('receipt-with-input');
  });

  test('a run whose files are gone is given up by saying so', async () => {
    await openRun('newest');
    const panel = page.getByRole('region', { name: 'This run can go on' });
    await panel.getByRole('button', { name: 'Give up', exact: true }).click();
    await panel.getByText('The unfinished output is not there, so nothing was removed').waitFor();
    await expectAccessible(page, 'a run whose files are not there');
    await shot('run-files-gone');
    await page.emulateMedia({ colorScheme: 'dark' });
    await shot('run-files-gone-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await panel.getByRole('button', { name: 'Its files are gone: give up' }).click();
    await panel.waitFor({ state: 'detached' });
    await page.getByText('The run is interrupted').waitFor();
  });

  test('a run that was killed goes on', async () => {
    await openRun('oldest');
    const panel = page.getByRole('region', { name: 'This run can go on' });
    await panel.getByText('no row is scored twice').waitFor();
    await expectAccessible(page, 'an interrupted run');
    await shot('run-interrupted');
    await page.emulateMedia({ colorScheme: 'dark' });
    await shot('run-interrupted-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await panel.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('6,000 rows scored').waitFor();
    await page.getByText('for ada, resumed by grace').waitFor();
    await shot('run-went-on');
  });
});
