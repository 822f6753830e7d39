/** A backup made, checked and restored in the window, and the vault that came back accepted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { appPasswords, openTestApp } from '../support/apps.ts';
import { goTo, signIn } from '../support/in-window.ts';
import { expectAccessible, openTestWindow } from '../support/window.ts';

async function openCustody(page: Page): Promise<void> {
  await goTo(page, 'Admin');
  await page.getByRole('link', { name: 'Custody' }).click();
}

async function pickStick(page: Page): Promise<void> {
  const dialog = page.getByRole('dialog').last();
  await dialog.getByRole('button', { name: 'Inbox' }).click();
  await dialog.getByRole('button', { name: 'Use this folder' }).click();
}

test('a backup is made, checked and restored, and the vault that came back is accepted', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-'));
  const { app, client } = openTestApp(dir);
  await client.vault.create({ user: 'ada', password: appPasswords.ada });
  await app.close();
  let window = await openTestWindow(dir);
  try {
    let { page } = window;
    await signIn(page, 'ada');
    await openCustody(page);
    await page.getByText('No backup yet').waitFor();
    await expectAccessible(page, 'custody, empty');
    await page.getByRole('button', { name: 'Make backup' }).click();
    await pickStick(page);
    await expectAccessible(page, 'backup');
    await page.getByRole('button', { name: 'Write backup' }).click();
    await page.getByText('Snapshot 1 is complete').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: 'complete' }).waitFor();
    await page.getByRole('button', { name: 'Check a backup' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Inbox' }).click();
    await page.getByRole('group', { name: 'Files' }).getByRole('button', { name: 'data' }).click();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByRole('button', { name: 'Read it whole' }).click();
    await page.getByText('There is no backup in this place').waitFor();
    await page.getByRole('button', { name: 'Add another medium of it' }).click();
    await pickStick(page);
    await page.getByRole('button', { name: 'Read it whole' }).click();
    await page.getByText('The backup is whole').waitFor();
    await expectAccessible(page, 'backup, checked');
    await page.getByRole('button', { name: 'Done' }).click();
    await window.close();

    rmSync(join(dir, 'vault'), { recursive: true });
    window = await openTestWindow(dir);
    page = window.page;
    await page.getByRole('button', { name: 'or restore one from a backup' }).click();
    // A folder that was chosen by mistake is left out again.
    await page.getByRole('button', { name: 'Choose the medium' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Inbox' }).click();
    await page.getByRole('group', { name: 'Files' }).getByRole('button', { name: 'data' }).click();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByText('No snapshot here').waitFor();
    await page.getByRole('button', { name: /^Leave out .*data$/ }).click();
    await page.getByText('No snapshot here').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Choose the medium' }).click();
    await pickStick(page);
    await page.getByLabel('Snapshot').waitFor();
    await expectAccessible(page, 'restore');
    await page.getByRole('button', { name: 'Restore vault' }).click();
    await signIn(page, 'ada');
    await page.getByText('This vault was restored from a backup').waitFor();
    await openCustody(page);
    await page.getByText('This vault was restored from a backup').waitFor();
    await expectAccessible(page, 'restored');
    await page.getByText('Not in the list yet').waitFor();
    // What would be refused is not offered.
    expect(await page.getByRole('button', { name: 'Make backup' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('cell', { name: 'ada' }).waitFor();
    expect(await page.getByRole('button', { name: /Add user|password of/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'Custody' }).click();
    await page.getByRole('button', { name: 'Accept this vault' }).click();
    await page.getByLabel('Reason').fill('the disk failed');
    await page.getByRole('button', { name: 'Accept and go on' }).click();
    await page.getByText('This vault was restored from a backup').waitFor({ state: 'detached' });
    await page.getByRole('cell', { name: 'complete' }).waitFor();
    await page.getByRole('button', { name: 'Make backup' }).waitFor();
    expect(window.refusedRequests()).toEqual([]);
  } finally {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
