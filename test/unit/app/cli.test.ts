import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { goldenCases, signFolder } from '#domain/bundle/index.ts';
import { appPasswords, openBareApp } from '../../support/bare-app.ts';
import { signingKey, writeTar } from '../../support/bundles.ts';
import { cliEnvironment, environmentOf, runCli as cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const sample = join(import.meta.dirname, '../../../resources/sample');

/** Socket calls that are not local, from an strace log. */
function networkCalls(log: string): string[] {
  return log
    .split('\n')
    .filter((line) => /\b(connect|sendto|bind|sendmsg)\(/.test(line) && /AF_INET/.test(line));
}

const hasStrace = spawnSync('strace', ['-V']).status === 0;

describe('the command line', () => {
  test('the help of every command is complete', () => {
    const top = cli(['--help']);
    expect(top.status).toBe(0);
    const commands = [
      'init',
      'status',
      'doctor',
      'recover',
      'users',
      'trust',
      'policy',
      'bundle',
      'import',
      'models',
      'promote',
      'approve',
      'reject',
      'rollback',
      'retire',
      'run',
      'runs',
      'serve',
      'predict',
      'explain',
      'reasons',
      'monitor',
      'erase',
      'subject',
      'audit',
      'report',
      'verify',
      'backup',
      'restore',
    ];
    for (const name of commands) expect(top.stdout, name).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect(top.stdout).toContain('Exit codes:');
    for (const name of commands)
      expect(cli([name, '--help']), name).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/Usage: strongroom/) as string,
      });
  });

  test('usage errors are 64 and speak to a person', () => {
    for (const args of [
      ['frobnicate'],
      ['run'],
      ['promote', 'x@1'],
      ['import'],
      ['audit', 'prove', 'x'],
      ['--no-such-option'],
      // What would change nothing is refused, and not passed over.
      ['explain', 'x', '--record', 'x', '--fixed', 'a'],
    ]) {
      const { status, stderr } = cli(
        args,
        cliEnvironment({
          STRONGROOM_USER: 'a',
          STRONGROOM_PASSWORD: 'b',
          STRONGROOM_VAULT: '/nonexistent',
          STRONGROOM_PINS: '/nonexistent',
        }),
      );
      expect([64, 66], args.join(' ')).toContain(status);
      expect(stderr).toMatch(/^strongroom: /m);
    }
  });

  test('init makes a vault that opens, and a file with its recovery key for nobody else', () => {
    const dir = temporaryFolder();
    const recovery = join(dir, 'recovery');
    const created = cli(['init', '--recovery-file', recovery, '--json'], environmentOf(dir, 'ada'));
    expect(created).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(created.stdout)).toMatchObject({ role: 'administrator' });
    expect(statSync(recovery).mode & 0o077).toBe(0);
    const listed = cli(['users', 'list', '--json'], environmentOf(dir, 'ada'));
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout).toContain('"ada"');
  });

  test('a model that does not do what its maker says is kept, and the answer is no', async () => {
    const dir = temporaryFolder();
    const folder = join(dir, 'credit-risk');
    cpSync(join(sample, 'credit-risk'), folder, { recursive: true });
    const cases = join(folder, 'golden/cases.json');
    const golden = goldenCases.parse(JSON.parse(readFileSync(cases, 'utf8')));
    const [first, ...others] = golden.cases;
    writeFileSync(
      cases,
      JSON.stringify({ ...golden, cases: [{ ...first, outputs: others[0]?.outputs }, ...others] }),
    );
    await signFolder(folder, { privatePem: signingKey.privatePem });
    writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
    const { app, client } = openBareApp(dir);
    await client.vault.create({ user: 'ada', password: appPasswords.ada });
    await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
    await app.close();
    const imported = cli(['import', folder, '--json'], environmentOf(dir, 'ada'));
    expect(imported).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(imported.stdout)).toMatchObject({
      stage: 'quarantined',
      firstContact: { status: 'failed', goldenFailed: 1 },
    });
  });

  test(
    'a whole story: documents, exit codes, and no network call',
    { timeout: 300_000 },
    async () => {
      const dir = temporaryFolder();
      const as = (user: keyof typeof appPasswords) => environmentOf(dir, user);
      const json = (result: { stdout: string }): Record<string, unknown> =>
        JSON.parse(result.stdout) as Record<string, unknown>;
      const ok = (user: keyof typeof appPasswords, ...args: string[]): Record<string, unknown> => {
        const result = cli([...args, '--json'], as(user));
        expect(result, args.join(' ')).toMatchObject({ status: 0, stderr: '' });
        return json(result);
      };
      // The password hash of a vault of its own is dear on purpose, at each of these sign-ins.
      const { app, client } = openBareApp(dir);
      await client.vault.create({ user: 'ada', password: appPasswords.ada });
      await app.close();
      for (const [name, role] of [
        ['grace', 'analyst'],
        ['alan', 'approver'],
      ] as const) {
        expect(
          cli(['users', 'add', name, '--role', role, '--json'], {
            ...as('ada'),
            STRONGROOM_NEW_PASSWORD: appPasswords[name],
          }).status,
        ).toBe(0);
      }
      const refused = cli(['import', join(sample, 'credit-risk'), '--json'], as('grace'));
      expect(refused.status).toBe(65);
      expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'refused' } });
      const inspected = cli(['bundle', 'inspect', join(sample, 'credit-risk'), '--json']);
      expect(inspected.status).toBe(1);
      expect(json(inspected)).toMatchObject({
        verdict: 'refuse',
        signature: { status: 'untrusted' },
      });
      const key = join(sample, 'keys/SAMPLE-ONLY-do-not-trust.pub.pem');
      const sarif = join(temporaryFolder(), 'findings.sarif');
      cli(['bundle', 'inspect', join(sample, 'credit-risk'), '--sarif', sarif]);
      expect(readFileSync(sarif, 'utf8')).toContain('"ruleId": "SR-SIG-002"');
      expect(cli(['bundle', 'inspect', join(sample, 'credit-risk'), '--sarif', sarif]).status).toBe(
        73,
      );
      expect(
        cli(['bundle', 'inspect', join(sample, 'credit-risk'), '--trust', key, '--json']).status,
      ).toBe(0);
      ok('ada', 'trust', 'add', key, '--name', 'Sample');

      const trace = join(dir, 'trace');
      const traced = (calls: string): string[] =>
        hasStrace ? ['strace', '-f', '-qq', '-e', `trace=${calls}`, '-o', trace] : [];
      const imported = cli(['import', join(sample, 'credit-risk'), '--json'], as('grace'), {
        prefix: traced('network'),
      });
      expect(imported.status).toBe(0);
      expect(json(imported)).toMatchObject({
        model: 'credit-risk',
        version: 1,
        stage: 'candidate',
        verdict: 'accept',
      });
      if (hasStrace) expect(networkCalls(readFileSync(trace, 'utf8'))).toEqual([]);

      expect(ok('grace', 'models', 'graph', 'credit-risk')).toMatchObject({
        path: 'model.onnx',
        parts: [{ kind: 'main', nodes: 60 }],
      });
      expect(
        ok('grace', 'models', 'diff', 'credit-risk@1', 'credit-risk@1', '--only', 'weights,card'),
      ).toMatchObject({
        areas: [
          { area: 'weights', same: 7, changes: [] },
          { area: 'card', changes: [] },
        ],
        notes: [],
      });
      expect(cli(['models', 'diff', 'a', 'b', '--only', 'looks'], as('grace')).status).toBe(64);

      expect(ok('grace', 'promote', 'credit-risk@1', '--to', 'production')).toMatchObject({
        status: 'pending',
      });
      expect(cli(['approve', 'credit-risk@1'], as('grace')).status).toBe(77);
      expect(ok('alan', 'approve', 'credit-risk@1', '--reason', 'looked at')).toMatchObject({
        stage: 'production',
      });
      const runArgs = [
        'run',
        'credit-risk',
        '--input',
        join(sample, 'data/drifted-month.csv'),
        '--output',
        join(dir, 'out/scored.csv'),
        '--json',
      ];
      const run = cli(runArgs, { ...as('grace'), HOME: dir }, { prefix: traced('network,openat') });
      expect(json(run)).toMatchObject({
        model: 'credit-risk',
        version: 1,
        rows: 1997,
        rejected: 3,
      });
      if (hasStrace) {
        const calls = readFileSync(trace, 'utf8');
        expect(calls).toContain('onnxruntime_binding.node');
        expect(networkCalls(calls)).toEqual([]);
        // ONNX Runtime would keep an id of this machine and a diary, if it were let.
        expect(calls.match(/DeveloperTools|mat-debug|machine-id/g)).toBeNull();
        expect(existsSync(join(dir, '.cache'))).toBe(false);
      }
      expect(existsSync(join(dir, 'out/scored.csv.rejects.csv'))).toBe(true);
      expect(
        cli(
          [
            'run',
            'credit-risk',
            '--input',
            join(sample, 'data/drifted-month.csv'),
            '--output',
            join(dir, 'out/scored.csv'),
          ],
          as('grace'),
        ).status,
      ).toBe(73);
      expect(ok('grace', 'monitor', 'credit-risk')).toMatchObject({ state: 'act' });
      expect(ok('grace', 'monitor', 'credit-risk', '--from', '2999-01-01')).toMatchObject({
        state: 'unknown',
        summary: 'No run of credit-risk@1 was started at or after 2999-01-01T00:00:00.000Z.',
      });
      // A file that gave no predictions is no success for a script, and a resume that began anew says so.
      const [header = ''] = readFileSync(join(sample, 'data/normal-month.csv'), 'utf8').split('\n');
      writeFileSync(join(dir, 'bad.csv'), `${header}\n${header.replaceAll(/[^,]+/g, '?')}\n`);
      expect(
        cli(
          [
            'run',
            'credit-risk',
            '--input',
            join(dir, 'bad.csv'),
            '--output',
            join(dir, 'bad.out.csv'),
            '--resume',
          ],
          as('grace'),
        ),
      ).toMatchObject({
        status: 65,
        stdout: expect.stringMatching(/1 row rejected.*The first one is row 1, column /s) as string,
        stderr: expect.stringContaining('no interrupted run of this output') as string,
      });
      ok('alan', 'audit', 'checkpoint', '--out', join(dir, 'checkpoint'));
      expect(ok('alan', 'audit', 'verify', '--against', join(dir, 'checkpoint'))).toMatchObject({
        status: 'intact',
        firstBroken: null,
      });
      ok('alan', 'report', 'production-history', '--out', join(dir, 'history.pdf'));
      expect(json(cli(['verify', join(dir, 'history.pdf'), '--json']))).toMatchObject({
        status: 'valid',
        kind: 'report',
      });
      expect(cli(['verify', join(sample, 'README.md')]).status).toBe(1);
      const receipt = join(dir, 'out/scored.csv.receipt.json');
      expect(cli(['verify', receipt]).status).toBe(0);
      rmSync(join(dir, 'out/scored.csv'));
      const alone = cli(['verify', receipt]);
      expect({ status: alone.status, out: alone.stdout }).toMatchObject({
        status: 1,
        out: expect.stringMatching(/INCOMPLETE.*scored\.csv is not beside the receipt/s),
      });
      expect(cli(['verify', receipt, '--allow-missing']).status).toBe(0);
      expect(cli(['verify', join(dir, 'nothing-here')]).status).toBe(66);
      expect(
        cli(['models', 'list'], { ...as('grace'), STRONGROOM_PASSWORD: 'wrong' }),
      ).toMatchObject({
        status: 77,
        stderr: 'strongroom: wrong-password: The name or the password is not right.\n',
      });
      const escaping = await writeTar(join(dir, 'escape.tar'), [
        { name: '../../etc/passwd', content: 'x' },
      ]);
      expect(cli(['import', escaping], as('grace')).status).toBe(65);
      expect(cli(['bundle', 'inspect', escaping]).status).toBe(1);

      // The id of a person need not stand in the history of a shell.
      expect(cli(['erase', 'subject'], as('ada'))).toMatchObject({
        status: 64,
        stderr: expect.stringContaining('No id of the person: give --id-file') as string,
      });
      writeFileSync(join(dir, 'person'), '4711\n');
      const idFile = ['--id-file', join(dir, 'person'), '--json'];
      expect(cli(['subject', 'show', ...idFile], as('ada'))).toMatchObject({
        status: 66,
        stderr: expect.stringContaining('Nothing is kept on this person') as string,
      });

      // One's own password: the present one is what the command signs in with.
      const renewed = { ...as('grace'), STRONGROOM_NEW_PASSWORD: 'windmills at dusk' };
      expect(cli(['users', 'password'], renewed).status).toBe(0);
      expect(cli(['models', 'list'], as('grace')).status).toBe(77);
      expect(
        cli(['models', 'list'], { ...as('grace'), STRONGROOM_PASSWORD: 'windmills at dusk' })
          .status,
      ).toBe(0);
    },
  );
});
