import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appPasswords } from '../support/bare-app.ts';
import { goTo, heading, signIn } from '../support/in-window.ts';
import {
  availableHosts,
  expectAccessible,
  openTestWindow,
  type TestWindow,
} from '../support/window.ts';

describe.each(availableHosts())('the whole job in the %s window', (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-'));
  let window: TestWindow;
  let page: Page;

  beforeAll(async () => {
    window = await openTestWindow(dir, host);
    page = window.page;
  });
  afterAll(async () => {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const loaded = async (): Promise<void> => {
    await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count()).toBe(0);
  };
  const seal = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Seal now' }).click();
    await heading(page, 'Sign in');
  };
  /** In the file dialog: the inbox, then each name. */
  const pick = async (...names: string[]): Promise<void> => {
    const dialog = page.getByRole('dialog').last();
    await dialog
      .getByRole('group', { name: 'Places' })
      .getByRole('button', { name: 'Inbox' })
      .click();
    for (const name of names)
      await dialog.getByRole('group', { name: 'Files' }).getByRole('button', { name }).click();
  };

  test('a vault is created, and its recovery key has to be confirmed', async () => {
    await heading(page, 'Create a vault');
    await expectAccessible(page, 'create');
    await page.getByLabel('Your name').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill(appPasswords.ada);
    await page.getByLabel('Password again').fill('something else');
    expect(await page.getByRole('button', { name: 'Create vault' }).isDisabled()).toBe(true);
    await page.getByLabel('Password again').fill(appPasswords.ada);
    await page.getByRole('button', { name: 'Create vault' }).click();
    await heading(page, 'Recovery key');
    await expectAccessible(page, 'recovery key');
    const groups = await page.locator('.recovery-key span').allInnerTexts();
    const fields = page.getByLabel(/^Group \d+$/);
    await fields.first().fill('XXXXX');
    await fields.last().fill('XXXXX');
    await page.getByRole('button', { name: 'I have written it down' }).click();
    await page.getByText('That is not what stands above').waitFor();
    for (const field of await fields.all()) {
      const label = await field.evaluate(
        (input) => (input as HTMLInputElement).labels?.[0]?.textContent ?? '',
      );
      const text = groups[Number(label.replace('Group ', '')) - 1] ?? '';
      await field.fill(text.replace(/^\d+\s*/, ''));
    }
    await page.getByRole('button', { name: 'I have written it down' }).click();
    await heading(page, 'Overview');
    await page.getByText('No models yet').waitFor();
    await expectAccessible(page, 'empty overview');
  });

  test('people are added with roles', async () => {
    await goTo(page, 'Admin');
    for (const [name, role] of [
      ['grace', 'analyst'],
      ['alan', 'approver'],
      ['audrey', 'auditor'],
    ] as const) {
      await page.getByRole('button', { name: 'Add user' }).click();
      await page.getByRole('dialog').getByLabel('Name').fill(name);
      await page.getByRole('dialog').getByLabel('Role').selectOption(role);
      await page.getByLabel('First password').fill(appPasswords[name]);
      await page.getByRole('button', { name: 'Add this user' }).click();
      await page.getByRole('cell', { name, exact: true }).waitFor();
    }
    await expectAccessible(page, 'users');
    await page.getByRole('link', { name: 'Roles' }).click();
    await page.getByText('bundles.import').waitFor();
  });

  test('a bundle of an unknown signer is refused; the key is trusted; then it can be imported', async () => {
    await goTo(page, 'Media');
    await page.getByRole('button', { name: 'Inspect credit-risk' }).click();
    await page.getByRole('heading', { name: 'Needs a decision' }).waitFor();
    await page.getByText('SR-SIG-002').waitFor();
    await page.getByText('Nothing: the policy of this vault lets in only').waitFor();
    expect(await page.getByRole('button', { name: 'Import credit-risk' }).count()).toBe(0);
    await expectAccessible(page, 'verdict');
    await page.getByRole('button', { name: 'Try it, for the log' }).click();
    await page.getByRole('button', { name: 'See it in the log' }).click();
    await page
      .getByRole('group', { name: 'Log entries' })
      .getByRole('button', { name: /bundle.import/ })
      .first()
      .click();
    await page.getByRole('button', { name: /^Save verdict of the import/ }).click();
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await pick();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByLabel('Name of the new folder').fill('refused');
    await expectAccessible(page, 'save verdict');
    await page.getByRole('button', { name: 'Write verdict' }).click();
    await page.getByText('Written').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    expect(readdirSync(join(window.inboxDir, 'refused')).toSorted()).toEqual([
      'findings.sarif',
      'svr.dsse.json',
    ]);

    await goTo(page, 'Admin');
    await page.getByRole('link', { name: 'Trust' }).click();
    await page.getByText('Nobody is trusted yet').waitFor();
    await page.getByRole('button', { name: 'Trust a key' }).click();
    await pick('maker.pub.pem');
    await page.getByLabel('Whose key it is').fill('Model maker');
    await page.getByLabel('How it was checked').fill('compared by telephone');
    await page.getByRole('button', { name: 'Trust this key' }).click();
    await page.getByRole('cell', { name: /^Model maker/ }).waitFor();
    await seal();

    await signIn(page, 'grace');
    await goTo(page, 'Media');
    await page.getByRole('button', { name: 'Inspect credit-risk' }).click();
    await page.getByRole('heading', { name: 'Can be imported' }).waitFor();
    await page.getByRole('button', { name: 'Import credit-risk' }).click();
    await heading(page, 'Imported credit-risk@1');
    await page.getByText('All 12 golden vectors').waitFor();
    await expectAccessible(page, 'imported');
  });

  test('production needs a second person', async () => {
    await page.getByRole('button', { name: 'Open credit-risk' }).click();
    await page.getByRole('button', { name: 'Promote to production credit-risk@1' }).click();
    await page.getByLabel('Reason').fill('   ');
    await page.getByRole('dialog').getByRole('button', { name: 'Promote to production' }).click();
    expect(await page.getByRole('dialog').count()).toBe(1);
    await page.getByLabel('Reason').fill('first release');
    await page.getByRole('dialog').getByRole('button', { name: 'Promote to production' }).click();
    await page.getByText('grace asks for production').waitFor();
    expect(await page.getByRole('button', { name: 'Approve credit-risk@1' }).count()).toBe(0);
    await seal();
    await signIn(page, 'alan');
    await page.getByText('1 promotion waits for approval').waitFor();
    await goTo(page, 'Models');
    await page.getByRole('link', { name: 'credit-risk', exact: true }).click();
    await page.getByRole('button', { name: 'Approve credit-risk@1' }).click();
    await page.getByLabel('Reason').fill('card and findings looked at');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await page.getByText('@production').first().waitFor();
    await expectAccessible(page, 'model');
    for (const tab of ['Card', 'Graph', 'History', 'Compare', 'Runs']) {
      await page
        .getByRole('navigation', { name: 'About credit-risk' })
        .getByRole('link', { name: tab })
        .click();
      await loaded();
      await expectAccessible(page, `model, ${tab}`);
    }
    await seal();
    await signIn(page, 'grace');
  });

  test('a month is scored, with its rejects and its drift', async () => {
    await goTo(page, 'Run');
    await page.getByRole('button', { name: 'Choose a file' }).click();
    await pick('data', 'drifted-month.csv');
    await page.getByText('Every input of credit-risk@1 has its column').waitFor();
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await pick();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await expectAccessible(page, 'run');
    await page.getByRole('button', { name: 'Start run' }).click();
    await heading(page, 'Run on drifted-month.csv');
    await page.getByText('1,997 rows scored, 3 rows rejected').waitFor();
    await page.getByRole('cell', { name: 'Not a number.' }).waitFor();
    await expectAccessible(page, 'run result');
    expect(readFileSync(join(window.inboxDir, 'drifted-month.predictions.csv'), 'utf8')).toMatch(
      /^row,probability,decision\n1,/,
    );

    await page.getByRole('button', { name: 'See drift' }).click();
    await heading(page, 'Monitor credit-risk');
    await page.getByText(/6 of 26 columns drifted/).waitFor();
    await page.getByRole('button', { name: 'purpose' }).click();
    await page.getByRole('img', { name: /Distribution of purpose/ }).waitFor();
    await expectAccessible(page, 'monitor');
  });

  test('the overview says what needs somebody, and what happened', async () => {
    await goTo(page, 'Overview');
    await page.getByText('credit-risk: the last run drifted').waitFor();
    await page.getByRole('link', { name: 'grace scored 1,997 rows with credit-risk@1' }).waitFor();
    await page.getByRole('img', { name: '1 run, 1 drifted' }).waitFor();
    await expectAccessible(page, 'full overview');
    await page.getByRole('button', { name: /^Jobs/ }).click();
    await page.getByRole('link', { name: '1,997 rows scored, 3 rejected' }).waitFor();
    await expectAccessible(page, 'jobs');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('complementary', { name: 'Jobs' }).count()).toBe(0);
  });

  test('the same file again does not overwrite the result', async () => {
    await goTo(page, 'Run');
    await page.getByRole('button', { name: 'Choose a file' }).click();
    await pick('data', 'normal-month.csv');
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await pick();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByLabel('Name of the result').fill('drifted-month.predictions.csv');
    await page.getByRole('button', { name: 'Start run' }).click();
    await page.getByRole('alert').getByText('conflict').waitFor();
  });

  test('an auditor verifies the log, takes a proof and a report, and checks the report', async () => {
    await seal();
    await signIn(page, 'audrey');
    expect(
      await page
        .getByRole('navigation', { name: 'Pages' })
        .getByRole('link', { name: 'Run', exact: true })
        .count(),
    ).toBe(0);
    await goTo(page, 'Audit');
    await page.getByRole('button', { name: 'Verify log', exact: true }).click();
    await page.getByText('The log is intact').waitFor();
    await page.getByRole('group', { name: 'Log entries' }).getByRole('button').nth(3).click();
    await page.getByRole('button', { name: 'Show proof' }).click();
    await page.getByText('c2sp.org/tlog-proof@v1').waitFor();
    await expectAccessible(page, 'audit');
    await page.getByRole('button', { name: 'Checkpoint', exact: true }).click();
    await page.getByText('Verifier key').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();

    await goTo(page, 'Reports');
    await page.getByRole('button', { name: 'Make report' }).click();
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await pick();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await page.getByRole('button', { name: 'Write report' }).click();
    await page.getByText('Made and signed').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: 'production-history.pdf' }).waitFor();
    await page.getByRole('button', { name: 'Verify a file' }).click();
    await pick('production-history.pdf');
    await page.getByText('production-history.pdf is valid').waitFor();
    await expectAccessible(page, 'reports');
    expect(existsSync(join(window.inboxDir, 'production-history.pdf'))).toBe(true);
  });

  test('a wrong password is said plainly, and dark is as accessible as light', async () => {
    await page.getByRole('button', { name: 'Dark' }).click();
    for (const name of ['Overview', 'Models', 'Monitor', 'Audit', 'Reports', 'Admin']) {
      await goTo(page, name);
      await loaded();
      await expectAccessible(page, `dark, ${name}`);
    }
    await seal();
    await page.getByText('The vault is sealed. Its keys have left the memory.').waitFor();
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill('not this one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('The name or the password is not right.').waitFor();
    await expectAccessible(page, 'sign in');
  });

  test('the palette and the keys work without a mouse', async () => {
    await signIn(page, 'ada');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('credit');
    // As a person would: once it is there.
    await page.getByRole('option', { name: 'credit-risk' }).first().waitFor();
    await page.keyboard.press('Enter');
    await heading(page, 'credit-risk');
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('in half of a small screen, as at 200 %, nothing that acts is cut off', async () => {
    const size = page.viewportSize();
    await page.setViewportSize({ width: 640, height: 400 });
    for (const name of ['Overview', 'Media', 'Models', 'Run', 'Monitor', 'Audit', 'Admin']) {
      await goTo(page, name);
      await loaded();
      // As text: the test's own project knows no DOM.
      const cut: unknown = await page.evaluate(
        `[...document.querySelectorAll('.page-header .button, .strip .item, .strip button, .rail a, .rail .button')]
          .filter((each) => { const { left, right } = each.getBoundingClientRect(); return left < 0 || right > innerWidth; })
          .map((each) => each.textContent)`,
      );
      expect(cut, name).toEqual([]);
    }
    if (size !== null) await page.setViewportSize(size);
  });

  test('nothing left the application, and the page can reach nothing', async () => {
    expect(window.refusedRequests()).toEqual([]);
    // As text, so that the test's own tools leave it alone.
    const attempts: unknown = await page.evaluate(`(async () => {
      const tries = [() => fetch('https://example.org/'), () => fetch('http://127.0.0.1:80/'), () => import('https://example.org/x.js')];
      const results = await Promise.all(tries.map((attempt) => attempt().then(() => 'reached', () => 'blocked')));
      return [...results, String('require' in globalThis), String('process' in globalThis)];
    })()`);
    expect(attempts).toEqual(['blocked', 'blocked', 'blocked', 'false', 'false']);
  });

  test('no name, value or weight is readable under the vault', () => {
    const files = readdirSync(join(dir, 'vault'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    const everything = Buffer.concat(
      files.map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    );
    expect(everything.length).toBeGreaterThan(500_000);
    for (const word of [
      'credit-risk',
      'grace',
      'audrey',
      'monthly_income',
      'probability',
      'TreeEnsemble',
      'self-employed',
      'telephone',
    ]) {
      expect(everything.includes(word), word).toBe(false);
    }
  });
});
