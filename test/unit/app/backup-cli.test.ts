import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appPasswords, openBareApp } from '../../support/bare-app.ts';
import { environmentOf, runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/vaults.ts';

test('backup, list, verify, restore and pins on the command line, with their exit codes', async () => {
  const dir = temporaryFolder();
  const cli = (...args: string[]) => {
    const environment = environmentOf(dir, 'ada');
    const { status, stdout, stderr } = runCli([...args, '--json'], environment, { cwd: dir });
    const text = status === 0 || status === 1 ? stdout : stderr;
    return { status, answer: text === '' ? undefined : (JSON.parse(text) as unknown), stderr };
  };
  const { app, client } = openBareApp(dir);
  await client.vault.create({ user: 'ada', password: appPasswords.ada, policy: 'solo' });
  await app.close();
  cpSync(join(dir, 'vault'), join(dir, 'older'), { recursive: true });
  expect(cli('backup', 'vault/inside').status).toBe(66);
  expect(existsSync(join(dir, 'vault/inside'))).toBe(false);
  // The medium is not in, or its name is mistyped.
  expect(cli('backup', 'medium')).toMatchObject({
    status: 66,
    answer: { error: { message: expect.stringContaining('Put the medium in') as string } },
  });
  expect(existsSync(join(dir, 'medium'))).toBe(false);
  mkdirSync(join(dir, 'medium'));
  expect(cli('backup', 'medium', '--part-size', 'huge')).toMatchObject({ status: 64 });
  expect(cli('backup', 'medium', '--part-size', '10M')).toMatchObject({ status: 64 });
  expect(cli('backup', 'medium', '--continue')).toMatchObject({ status: 66 });
  const made = cli('backup', 'medium', '--part-size', '700M', '--media-size', 'all');
  expect(made).toMatchObject({ status: 0, answer: { state: 'complete', snapshot: 1 } });
  expect(cli('backup', 'list', 'medium')).toMatchObject({
    status: 0,
    answer: { backups: [{ snapshots: [{ number: 1, problem: null }] }] },
  });
  expect(cli('backup', 'history')).toMatchObject({ answer: { backups: [{ state: 'complete' }] } });
  expect(cli('backup', 'verify', 'medium', '--sign-in')).toMatchObject({
    status: 0,
    answer: { status: 'whole', ofThisVault: 'yes' },
  });
  const set = join(
    dir,
    'medium/strongroom-backup',
    readdirSync(join(dir, 'medium/strongroom-backup'))[0] ?? '',
  );
  const manifest = join(set, 'snapshots/0001.json');
  expect(cli('verify', manifest)).toMatchObject({ status: 0, answer: { kind: 'backup' } });
  expect(cli('audit', 'verify', '--against', manifest).status).toBe(0);
  expect(cli('restore', 'medium').status).toBe(73);
  expect(cli('restore', 'medium', '--to', 'elsewhere')).toMatchObject({
    status: 0,
    answer: { snapshot: 1, path: join(dir, 'elsewhere') },
  });
  expect(cli('audit', 'pins', 'show').status).toBe(0);

  // The vault is put back as it was before the backup.
  rmSync(join(dir, 'vault'), { recursive: true });
  cpSync(join(dir, 'older'), join(dir, 'vault'), { recursive: true });
  expect(cli('audit', 'pins', 'show').status).toBe(1);
  expect(cli('audit', 'verify').status).toBe(1);
  const checkpoint = cli('audit', 'checkpoint');
  expect(checkpoint.status).toBe(0);
  expect(JSON.parse(checkpoint.stderr)).toEqual({
    notice: expect.stringContaining('This vault is an older copy') as string,
  });
  expect(cli('backup', 'verify', 'medium', '--sign-in')).toMatchObject({
    status: 1,
    answer: { status: 'whole', ofThisVault: 'other-history' },
  });
  expect(cli('policy', 'set', '--idle-minutes', '5')).toMatchObject({
    status: 65,
    answer: { error: { code: 'tampered' } },
  });
  expect(cli('audit', 'pins', 'accept', '--reason', 'as tested').status).toBe(0);
  expect(cli('policy', 'set', '--idle-minutes', '5')).toMatchObject({ status: 0, stderr: '' });
  rmSync(join(set, 'part-0001', readdirSync(join(set, 'part-0001'))[0] ?? ''));
  expect(cli('backup', 'verify', 'medium')).toMatchObject({
    status: 1,
    answer: { status: 'damaged' },
  });
});
