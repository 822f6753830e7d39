/** One record in the window: example, prediction, why, what would change it, reasons with approved texts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { appPasswords, openBareApp } from '../support/bare-app.ts';
import {
  availableHosts,
  expectAccessible,
  openTestWindow,
  sampleDir,
  type TestWindow,
} from '../support/window.ts';

describe.each(availableHosts())('one record in the %s window', (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-'));
  let window: TestWindow;
  let page: Page;

  beforeAll(async () => {
    const { app, client, wait } = openBareApp(dir);
    await client.vault.create({ user: 'ada', password: appPasswords.ada });
    await client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
    await client.users.add({ name: 'alan', role: 'approver', password: appPasswords.alan });
    const key = app.admitFile(join(sampleDir, 'keys/SAMPLE-ONLY-do-not-trust.pub.pem'));
    await client.trust.add({ name: 'Model maker', file: key });
    const source = app.admitFile(join(sampleDir, 'credit-risk'));
    await wait(contract.bundles.import, client.bundles.import({ source }));
    await app.close();
    window = await openTestWindow(dir, host);
    page = window.page;
    page.setDefaultTimeout(15_000);
  });
  afterAll(async () => {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const heading = (name: string): Promise<void> =>
    page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  const signIn = async (user: 'grace' | 'alan'): Promise<void> => {
    await heading('Sign in');
    await page.getByLabel('Name').fill(user);
    await page.getByLabel('Password', { exact: true }).fill(appPasswords[user]);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await heading('Overview');
  };
  const openRecord = async (): Promise<void> => {
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Run' })
      .click();
    await page.getByRole('button', { name: 'One record' }).click();
    await heading('One record for credit-risk@1');
  };

  test('a value that cannot be used is said at its field, in the words of a reject', async () => {
    await signIn('grace');
    await openRecord();
    await expectAccessible(page, 'empty record');
    await page.getByLabel('Fill in an example').selectOption('Golden vector 1');
    await page.getByLabel('age', { exact: true }).fill('forty');
    await page.getByRole('button', { name: 'Predict' }).click();
    await page.getByText('Not a whole number.').waitFor();
    expect(await page.evaluate(`document.activeElement?.getAttribute('name')`)).toBe('age');
    await page.getByLabel('age', { exact: true }).fill('99');
    await page.getByText('Unusual: expected 18 to 90').waitFor();
  });

  test('an example is predicted by the keyboard, and explained column by column', async () => {
    await page.getByLabel('Fill in an example').selectOption('Row 1 of the reference');
    await page.getByLabel('age', { exact: true }).press('Enter');
    await page
      .getByText(/probability is 0\.\d+, (below|at or above) the threshold 0\.35/)
      .waitFor();
    await page.getByRole('img', { name: /^Contributions to probability/ }).waitFor();
    await expect.poll(() => page.getByText('Refining…').count(), { timeout: 15_000 }).toBe(0);
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
    await heading('Texts of reasons of credit-risk@1');
    await page.getByRole('button', { name: 'Propose texts' }).click();
    await page.getByPlaceholder('not to be told').first().waitFor();
    for (const field of await page.getByPlaceholder('not to be told').all())
      await field.fill('Something in your application');
    await expectAccessible(page, 'texts of reasons');
    await page.getByRole('button', { name: 'Propose these texts' }).click();
    await page.getByText('needs an approver').waitFor();
    await page.getByRole('button', { name: 'Seal now' }).click();

    await signIn('alan');
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
