/** Serving in the window: not allowed, allowed, started with a token shown once, asked by another program, stopped. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appPasswords, importSample, openBareApp } from '../support/bare-app.ts';
import { askHttp } from '../support/serving.ts';
import { goTo, signIn } from '../support/in-window.ts';
import { availableHosts, expectAccessible, openTestWindow } from '../support/window.ts';

const reason = 'as tested';

/** A vault with the sample model in production. */
async function prepare(dir: string): Promise<void> {
  mkdirSync(join(dir, 'vault'), { recursive: true });
  const opened = openBareApp(dir);
  const { app, client } = opened;
  await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
  await importSample(opened);
  await client.models.promote({ version: 'credit-risk@1', to: 'production', reason });
  await app.close();
}

test.each(availableHosts())('models are served from the %s window', async (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-serving-'));
  await prepare(dir);
  const window = await openTestWindow(dir, host);
  const { page } = window;
  const shots = process.env['STRONGROOM_SHOTS'];
  const look = async (name: string): Promise<void> => {
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
    await expectAccessible(page, name);
  };
  try {
    await signIn(page, 'ada');
    await goTo(page, 'Admin');
    await page.getByRole('link', { name: 'Serving', exact: true }).click();
    await page.getByText('The policy does not allow it').waitFor();
    expect(await page.getByRole('button', { name: 'Start serving' }).count()).toBe(0);
    await look('serving-not-allowed');

    await page.getByRole('link', { name: 'Policy', exact: true }).click();
    await page.getByRole('button', { name: 'Change policy' }).click();
    await page.getByLabel('Models may be served').selectOption('yes');
    await page.getByLabel('Reason').fill(reason);
    await page.getByRole('dialog').getByRole('button', { name: 'Change policy' }).click();
    await page.getByText('allowed: an analyst may start it').waitFor();

    await page.getByRole('link', { name: 'Serving', exact: true }).click();
    await page.getByRole('button', { name: 'Start serving' }).click();
    await page.getByLabel('Port').fill('0');
    await look('serving-start');
    await page.getByRole('dialog').getByRole('button', { name: 'Start serving' }).click();
    const token = await page.getByLabel('Token', { exact: true }).inputValue();
    await page.keyboard.press('Escape');
    await look('serving-token');
    await page.getByRole('button', { name: 'I have it' }).click();
    expect(await page.content()).not.toContain(token);

    const link = page.getByRole('link', { name: 'Serving on 127.0.0.1' });
    const address = (await link.innerText()).replace(/^.*on /, '').trim();
    const metadata = await askHttp(address, token, '/v2/models/credit-risk');
    const { inputs } = metadata.json() as {
      inputs: { name: string; datatype: string; shape: number[] }[];
    };
    const values: Readonly<Record<string, unknown>> = { BYTES: 'car', BOOL: true };
    const body = JSON.stringify({
      inputs: inputs.map(({ name, datatype, shape }) => {
        const dims = shape.map((size) => (size === -1 ? 3 : size));
        const count = dims.reduce((product, size) => product * size, 1);
        return {
          name,
          datatype,
          shape: dims,
          data: Array.from({ length: count }, () => values[datatype] ?? 1),
        };
      }),
    });
    const answer = await askHttp(address, token, '/v2/models/credit-risk/infer', { body });
    expect([answer.status, answer.body.toString()]).toEqual([
      200,
      expect.stringContaining('"outputs"'),
    ]);
    expect((await askHttp(address, 'guessed', '/v2')).status).toBe(401);
    await page.getByRole('cell', { name: 'credit-risk@1' }).waitFor();
    await page.getByText('1 without the token').waitFor();
    await look('serving-on');
    await page.evaluate("document.documentElement.dataset['theme'] = 'dark'");
    await look('serving-on-dark');

    await page.getByRole('button', { name: 'Stop serving' }).click();
    await page.getByRole('button', { name: 'Start serving' }).waitFor();
    await expect(askHttp(address, token, '/v2')).rejects.toThrow();
    await goTo(page, 'Overview');
    await page.getByText('stopped serving models after 1 request').first().waitFor();
    await goTo(page, 'Audit');
    const lines = page.getByRole('group', { name: 'Log entries' });
    await lines.getByText('serve.infer').first().waitFor();
    await look('serving-log');
    expect(window.refusedRequests()).toEqual([]);
  } finally {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
