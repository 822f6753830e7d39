/** A saved binding, and one record in the window: example, prediction, why, what would change it, reasons with approved texts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { appPasswords, importSample, openBareApp } from '../support/bare-app.ts';
import { signedFolder, signingKey } from '../support/bundles.ts';
import { bytesOf, matrixModel } from '../support/onnx-models.ts';
import { goTo, heading, signIn } from '../support/in-window.ts';
import {
  availableHosts,
  expectAccessible,
  openTestWindow,
  type TestWindow,
} from '../support/window.ts';

describe.each(availableHosts())('one record in the %s window', (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-'));
  let window: TestWindow;
  let page: Page;

  beforeAll(async () => {
    const opened = openBareApp(dir);
    const { app, client, wait } = opened;
    await client.vault.create({ user: 'ada', password: appPasswords.ada });
    await client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
    await client.users.add({ name: 'alan', role: 'approver', password: appPasswords.alan });
    await importSample(opened);
    writeFileSync(join(dir, 'plain.pem'), signingKey.publicPem);
    await client.trust.add({ name: 'Plain', file: app.admitFile(join(dir, 'plain.pem')) });
    const files = { 'model.onnx': bytesOf(matrixModel()) };
    const plain = app.admitFile(await signedFolder(join(dir, 'plain-bundle'), files));
    await wait(contract.bundles.import, client.bundles.import({ source: plain, name: 'plain' }));
    await app.close();
    window = await openTestWindow(dir, host);
    page = window.page;
    writeFileSync(join(window.inboxDir, 'first.csv'), 'b,a\n1,10\n2,20\n');
    writeFileSync(join(window.inboxDir, 'second.csv'), 'x,y\n1,10\n');
  });
  afterAll(async () => {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const openRecord = async (): Promise<void> => {
    await goTo(page, 'Run');
    await page.getByRole('button', { name: 'One record' }).click();
    await heading(page, 'One record for credit-risk@1');
  };

  test('a binding that a file shows is saved, and says which columns the next file needs', async () => {
    await signIn(page, 'grace');
    const choose = async (button: string, file: RegExp): Promise<void> => {
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('dialog').getByRole('button', { name: file }).click();
    };
    await goTo(page, 'Run');
    await page.getByText('The bundle asks for 24 columns').waitFor();
    await page.getByLabel('Model').selectOption('plain');
    await page.getByText('the columns are told anew from each file').waitFor();
    await choose('Choose a file', /^first\.csv/);
    await page.getByRole('button', { name: 'Save binding' }).click();
    await page.getByText('Saved binding in use').waitFor();
    await page.getByText('Every file needs 2 columns: b, a').waitFor();
    await expectAccessible(page, 'saved binding');
    await choose('Choose another file', /^second\.csv/);
    await page.getByText('The file has no column').first().waitFor();
    await page.getByRole('button', { name: 'Replace binding' }).click();
    await page.getByText('Every file needs 2 columns: x, y').waitFor();
    await page.getByText('Every input of plain@1 has its column').waitFor();
  });

  test('a value that cannot be used is said at its field, in the words of a reject', async () => {
    await page.evaluate(`location.hash = '#/models/credit-risk'`);
    await page.getByRole('button', { name: 'Try one record' }).click();
    await heading(page, 'One record for credit-risk@1');
    await expectAccessible(page, 'empty record');
    await page.getByLabel('Fill in an example').selectOption('Golden vector 1');
    await page.getByLabel('Age at application').fill('forty');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('Not a whole number.').waitFor();
    expect(await page.evaluate(`document.activeElement?.getAttribute('name')`)).toBe('age');
    await page.getByLabel('Age at application').fill('99');
    await page.getByText('Unusual: expected 18 to 90').waitFor();
  });

  test('an example is predicted by the keyboard, and explained column by column', async () => {
    await page.getByLabel('Fill in an example').selectOption('Row 1 of the reference');
    await page.getByLabel('Age at application').press('Enter');
    await page
      .getByText(/probability is 0\.\d+, (below|at or above) the threshold 0\.35/)
      .waitFor();
    await page.getByRole('img', { name: /^Contributions to probability/ }).waitFor();
    await expect.poll(() => page.getByText('Refining…').count()).toBe(0);
    await page.getByText('All numbers').click();
    expect(await page.getByRole('region', { name: 'Contributions' }).getByRole('row').count()).toBe(
      25,
    );
    await expectAccessible(page, 'explained record');
  });

  test('the smallest change is found on the model, and leaves fixed columns alone', async () => {
    await page.getByText('Columns that cannot be changed').click();
    await page.getByRole('checkbox', { name: 'age', exact: true }).check();
    await page.getByRole('button', { name: 'Look for the smallest change' }).click();
    await page.getByText(/^probability would be 0\.\d+/).waitFor();
    expect(
      await page.getByRole('region', { name: 'Changes' }).getByText('age', { exact: true }).count(),
    ).toBe(0);
  });

  test('reasons are told in texts that somebody else has approved, and in no others', async () => {
    await page.getByRole('button', { name: 'Write the texts of reasons' }).click();
    await heading(page, 'Texts of reasons of credit-risk@1');
    await page.getByRole('button', { name: 'Propose texts' }).click();
    await page.getByPlaceholder('not to be told').first().waitFor();
    for (const field of await page.getByPlaceholder('not to be told').all())
      await field.fill('Something in your application');
    await expectAccessible(page, 'texts of reasons');
    await page.getByRole('button', { name: 'Propose these texts' }).click();
    await page.getByText('needs an approver').waitFor();
    await page.getByRole('button', { name: 'Seal now' }).click();

    await signIn(page, 'alan');
    await openRecord();
    await page.getByLabel('Fill in an example').selectOption('Row 1 of the reference');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByRole('button', { name: 'Name the reasons' }).click();
    await page.getByText('Nothing of this may be printed').waitFor();
    await page.getByRole('button', { name: 'Texts of reasons' }).click();
    await page.getByRole('button', { name: 'Approve these texts' }).click();
    await page.getByText('may be told').waitFor();
    await expectAccessible(page, 'approved texts');
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.getByRole('button', { name: 'Back to the record' }).click();
    await page.getByLabel('Fill in an example').selectOption('Row 1 of the reference');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByRole('button', { name: 'Name the reasons' }).click();
    await page.getByRole('heading', { name: 'What the person may be told' }).waitFor();
    await expectAccessible(page, 'reasons, dark');
    expect(window.refusedRequests()).toEqual([]);
  });
});
