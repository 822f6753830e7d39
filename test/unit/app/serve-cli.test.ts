/** `serve` on the command line as a security officer sees it: what it listens on, and that it ends. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { openBareApp } from '../../support/bare-app.ts';
import { signingKey, writeFolder } from '../../support/bundles.ts';
import { cliScript, environmentOf, runCli } from '../../support/cli.ts';
import { askHttp, importModel, slowModel } from '../../support/serving.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const hasCurl = spawnSync('curl', ['-V']).status === 0;

/** A vault that anybody may be served from. */
async function prepare(dir: string): Promise<NodeJS.ProcessEnv> {
  const { app, client } = openBareApp(dir);
  await client.vault.create({ user: 'ada', password: 'a quiet harbour' });
  await client.policy.set({ serving: true, reason: 'as tested' });
  await app.close();
  return environmentOf(dir, 'ada');
}

/** Resolves with the first line that it writes. */
async function startServing(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(command, args, {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve) => {
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.endsWith('\n')) resolve(text);
    });
    child.once('exit', () => resolve(text));
  });
  return { child, line };
}

test.skipIf(!hasStrace)(
  'serve opens one port on 127.0.0.1, and ends when it is asked to',
  async () => {
    const dir = temporaryFolder();
    const env = await prepare(dir);
    const trace = join(dir, 'trace');
    const tokenFile = join(dir, 'token');
    const traced = ['-f', '-qq', '-e', 'trace=bind,listen,connect,sendto,sendmsg', '-o', trace];
    const served = [
      process.execPath,
      cliScript,
      'serve',
      '--port',
      '0',
      '--token-file',
      tokenFile,
      '--json',
    ];
    const { child, line } = await startServing('strace', [...traced, ...served], env);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const { address } = JSON.parse(line) as { address: string };
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(line).not.toContain(readFileSync(tokenFile, 'utf8').trim());
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    const token = readFileSync(tokenFile, 'utf8').trim();
    expect((await askHttp(address, token, '/v2/health/ready')).status).toBe(200);
    if (hasCurl) {
      const { stdout } = spawnSync(
        'curl',
        ['-s', '-H', `Authorization: Bearer ${token}`, `http://${address}/v2`],
        { encoding: 'utf8' },
      );
      expect(JSON.parse(stdout)).toMatchObject({ name: 'strongroom' });
    }
    // To its whole group, as a terminal does.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    expect(await exited).toBe(0);
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((call) => call.includes('AF_INET') || /\blisten\(/.test(call));
    expect(calls).toEqual([
      expect.stringMatching(/bind\(\d+, \{sa_family=AF_INET, .*inet_addr\("127\.0\.0\.1"\)\}/),
      expect.stringMatching(/listen\(/),
    ]);
    await expect(askHttp(address, token, '/v2')).rejects.toThrow();
  },
);

test('killed while it answers, it leaves a log in which every call has its outcome', async () => {
  const dir = temporaryFolder();
  const env = await prepare(dir);
  const first = openBareApp(dir);
  await first.client.vault.signIn({ user: 'ada', password: 'a quiet harbour' });
  const key = writeFolder(dir, { 'maker.pem': signingKey.publicPem });
  await first.client.trust.add({
    name: 'Maker',
    file: first.app.admitFile(join(key, 'maker.pem')),
  });
  await importModel(first, 'slow', slowModel(), 'candidate');
  await first.app.close();

  const { child, line } = await startServing(
    process.execPath,
    [cliScript, 'serve', '--port', '0', '--json'],
    env,
  );
  const { address, token } = JSON.parse(line) as { address: string; token: string };
  const ask = (turns: number): Promise<unknown> =>
    askHttp(address, token, '/v2/models/slow/versions/1/infer', {
      body: JSON.stringify({
        inputs: [{ name: 'turns', shape: [], datatype: 'INT64', data: [turns] }],
      }),
    });
  await ask(1);
  const cut = Promise.allSettled([ask(2_000_000_000), ask(1), ask(1)]);
  const waiting = 'nv_inference_pending_request_count{model="slow",version="1"} 2';
  await expect
    .poll(async () => (await askHttp(address, token, '/metrics')).body.toString())
    .toContain(waiting);
  child.kill('SIGKILL');
  expect((await cut).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);

  const second = openBareApp(dir);
  await second.client.vault.signIn({ user: 'ada', password: 'a quiet harbour' });
  const { entries } = await second.client.audit.list({ action: 'serve.infer', limit: 50 });
  const codes = entries
    .map(({ entry }) => entry)
    .filter(({ phase }) => phase === 'outcome')
    .map(({ outcome, code }) => code ?? outcome ?? 'none');
  expect(codes.toSorted()).toEqual(['interrupted', 'interrupted', 'interrupted', 'ok']);
  expect(entries.filter(({ entry }) => entry.phase === 'begin')).toHaveLength(4);
  const verdict = await second.wait(contract.audit.verify, second.client.audit.verify({}));
  expect(verdict.status).toBe('intact');
  await second.app.close();
});

test('serve says what it needs', async () => {
  const dir = temporaryFolder();
  const env = await prepare(dir);
  const run = (...args: string[]) => runCli(args, env);
  expect(run('serve', '--port', '80')).toMatchObject({
    status: 64,
    stderr: expect.stringContaining('must be 0 or at least 1024') as string,
  });
  expect(run('policy', 'set', '--serving', 'no').status).toBe(0);
  expect(run('serve')).toMatchObject({
    status: 77,
    stderr: expect.stringContaining('The policy does not allow serving') as string,
  });
});
