/** Keys in the window: shares on paper, new keys under the session, one's own password, and back in with two shares. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goTo, heading } from '../support/in-window.ts';
import { availableHosts, expectAccessible, openTestWindow } from '../support/window.ts';

test.each(availableHosts())(
  'keys are kept, rotated and recovered in the %s window',
  async (host) => {
    const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-keys-'));
    const window = await openTestWindow(dir, host);
    const { page } = window;
    /** Of one sheet, with the numbers of the groups left out. */
    const paperOf = async (name: string): Promise<string> => {
      const groups = await page.getByRole('group', { name }).locator('span').allInnerTexts();
      return groups.map((text) => text.replace(/^\d+\s*/, '')).join('-');
    };
    try {
      await heading(page, 'Create a vault');
      await page.getByLabel('Your name').fill('ada');
      await page.getByLabel('Password', { exact: true }).fill('a quiet harbour');
      await page.getByLabel('Password again').fill('a quiet harbour');
      await page.getByLabel('Recovery key').selectOption('2of3');
      await page.getByRole('button', { name: 'Create vault' }).click();
      await heading(page, 'Recovery key');
      await page.getByText('any 2 of these 3 shares open the vault').waitFor();
      expect(await page.evaluate('window.scrollY')).toBe(0);
      await expectAccessible(page, 'shares');
      const asked = await page.getByText('To be sure, type two of the groups').innerText();
      const share = await paperOf(`Share ${/share (\d)/.exec(asked)?.[1]} of 3`);
      for (const field of await page.getByLabel(/^Group \d+$/).all()) {
        const label = await field.evaluate(
          (input) => (input as HTMLInputElement).labels?.[0]?.textContent ?? '',
        );
        await field.fill(share.split('-')[Number(label.replace('Group ', '')) - 1] ?? '');
      }
      await page.getByRole('button', { name: 'I have written it down' }).click();
      await heading(page, 'Overview');

      await goTo(page, 'Admin');
      await page.getByRole('link', { name: 'Keys', exact: true }).click();
      await page.getByText('This host has no keychain').or(page.getByText('keyring')).waitFor();
      await expectAccessible(page, 'keys');
      await page.getByRole('button', { name: 'Rotate keys' }).click();
      await page.getByLabel('Reason').fill('Grace has left');
      await page.getByRole('dialog').getByRole('button', { name: 'Rotate keys' }).click();
      await page.getByText('New keys are in use').waitFor();
      await page.getByRole('button', { name: 'Change my password' }).click();
      await page.getByLabel('Present password').fill('somebody at the desk');
      await page.getByLabel('New password').fill('another harbour');
      await page.getByRole('button', { name: 'Set password' }).click();
      await page.getByRole('dialog').getByText('is not right').waitFor();
      await page.getByLabel('Present password').fill('a quiet harbour');
      await page.getByRole('button', { name: 'Set password' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Make a new one' }).click();
      await page.getByLabel('Reason').fill('not meant');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Make a new one' }).click();
      await page.getByLabel('Handed out as').selectOption('2of3');
      await page.getByLabel('Reason').fill('one share was lost');
      await page.getByRole('button', { name: 'Make new recovery key' }).click();
      await page.getByRole('heading', { name: 'Share 1 of 3: any 2 of them' }).waitFor();
      // What is shown once does not go away by a key pressed by mistake, nor by a second one.
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      const first = await paperOf('Share 1 of 3');
      const third = await paperOf('Share 3 of 3');
      expect(first).toMatch(/^([0-9A-Z]{5}-){14}[0-9A-Z]{4}$/);
      await expectAccessible(page, 'new shares');
      // On paper each share has a sheet of its own, and none is cut off with the dialog.
      if (host === 'chromium')
        expect((await page.pdf()).toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(3);
      await page.getByRole('button', { name: 'I have written it down' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });

      await page.getByRole('button', { name: 'Seal now' }).click();
      await heading(page, 'Sign in');
      await page.getByLabel('Name').fill('ada');
      await page.getByLabel('Password', { exact: true }).fill('a quiet harbour');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('The name or the password is not right').waitFor();
      await page.getByRole('button', { name: 'Use the recovery key' }).click();
      await page.getByLabel('Name').fill('ada');
      await page.getByLabel('Recovery key').fill(`${third}\n${first.toLowerCase()}`);
      await page.getByLabel('Password', { exact: true }).fill('a third harbour');
      await page.getByLabel('Password again').fill('a third harbour');
      await page.getByLabel('Reason').fill('forgotten');
      await expectAccessible(page, 'recover');
      await page.getByRole('button', { name: 'Recover' }).click();
      await heading(page, 'Overview');
      expect(window.refusedRequests()).toEqual([]);
    } finally {
      await window.close();
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
