import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { createApp } from '#app/create-app.ts';
import {
  plainFiles,
  signedFolder,
  signingKey,
  tarEntries,
  writeFolder,
  writeTar,
} from '../../support/bundles.ts';
import { canMount } from '../../support/can-mount.ts';
import { mountSmallDisk } from '../../support/drives.ts';
import { appPasswords, openPeopledApp, openTestApp, type TestApp } from '../../support/apps.ts';
import { bytesOf, endlessModel, matrixModel } from '../../support/onnx-models.ts';
import { cheapKdf } from '../../support/vaults.ts';

async function withModel(): Promise<
  TestApp & { readonly folder: string; readonly bundle: string }
> {
  const test = await openPeopledApp();
  const { app, client, dir, wait } = test;
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  const bundle = await signedFolder(join(dir, 'tested'));
  await wait(
    contract.bundles.import,
    client.bundles.import({ source: app.admitFile(bundle), name: 'tested' }),
  );
  return { ...test, folder: app.admitFile(dir), bundle };
}

function score(test: TestApp & { readonly folder: string }, csv: string, name = 'out.csv') {
  writeFileSync(join(test.dir, 'in.csv'), csv);
  const input = {
    version: 'tested',
    input: test.app.admitFile(join(test.dir, 'in.csv')),
    folder: test.folder,
    name,
  };
  return test
    .wait(contract.runs.start, test.client.runs.start(input))
    .catch((error: unknown) => error);
}

const outcomes = async ({ client }: TestApp, action: string) => {
  const { entries } = await client.audit.list({ limit: 50, action: action as 'run.score' });
  return entries.map(({ entry }) => [entry.phase, entry.outcome, entry.code]);
};

describe('what goes wrong has a code, a sentence that helps, and loses nothing', () => {
  test('a wrong password', async () => {
    const { client } = await openPeopledApp();
    await client.vault.seal(null);
    await expect(
      client.vault.signIn({ user: 'ada', password: 'not this one' }),
    ).rejects.toMatchObject({
      code: 'wrong-password',
      message: 'The name or the password is not right.',
    });
    await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
    const { entries } = await client.audit.list({ limit: 1, action: 'vault.sign-in-failed' });
    expect(entries[0]?.entry).toMatchObject({ outcome: 'refused', details: { attempts: 1 } });
  });

  test('a vault that another process has open', async () => {
    const { dir } = await openPeopledApp();
    const second = createApp({ vaultDir: join(dir, 'vault'), host: 'cli', kdf: cheapKdf });
    expect(
      await second.dispatch('vault.signIn', { user: 'ada', password: appPasswords.ada }),
    ).toMatchObject({
      ok: false,
      error: { code: 'busy', message: expect.stringContaining('Another Strongroom') as string },
    });
    await second.close();
  });

  test.skipIf(!canMount)('a full disk', async () => {
    const test = openTestApp();
    const small = join(test.dir, 'vault');
    mountSmallDisk(small, '80m');
    try {
      const { app, client, dir, wait } = test;
      await client.vault.create({ user: 'ada', password: appPasswords.ada });
      writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
      await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
      const folder = await signedFolder(join(dir, 'large'), {
        ...plainFiles,
        'weights.bin': Buffer.alloc(100_000_000, 7),
      });
      await expect(
        wait(contract.bundles.import, client.bundles.import({ source: app.admitFile(folder) })),
      ).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('full') as string });
      const archive = await writeTar(join(dir, 'large.tar'), [
        { name: 'model.onnx', content: Buffer.alloc(100_000_000, 7) },
      ]);
      await expect(
        wait(contract.bundles.import, client.bundles.import({ source: app.admitFile(archive) })),
      ).rejects.toMatchObject({
        code: 'io',
        message: expect.stringContaining('more are needed') as string,
      });
      expect(readdirSync(join(small, 'staging'))).toEqual([]);
      expect(readdirSync(join(small, 'objects'))).toEqual([]);
      expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
        status: 'intact',
      });
      await app.close();
    } finally {
      execFileSync('umount', [small]);
    }
  });

  test('a truncated archive', async () => {
    const test = await openPeopledApp();
    const { app, client, dir, wait } = test;
    const path = await writeTar(
      join(dir, 'bundle.tar.gz'),
      tarEntries({ ...plainFiles, 'noise.bin': randomBytes(5000) }),
      true,
    );
    truncateSync(path, 1500);
    await expect(
      wait(contract.bundles.import, client.bundles.import({ source: app.admitFile(path) })),
    ).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('Copy it again') as string,
    });
    expect(await client.models.list(null)).toEqual([]);
    expect(readdirSync(join(dir, 'vault', 'staging'))).toEqual([]);
    expect(await outcomes(test, 'bundle.import')).toEqual([
      ['outcome', 'error', 'corrupt'],
      ['begin', undefined, undefined],
    ]);
  });

  test('a malformed CSV', async () => {
    const test = await withModel();
    expect(await score(test, 'a,b\n1,"2\n')).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('quote') as string,
    });
    expect(await score(test, '')).toMatchObject({ code: 'corrupt' });
    expect(readdirSync(test.dir).filter((name) => name.includes('out'))).toEqual([]);
    expect((await test.client.runs.list({})).map(({ state }) => state)).toEqual([
      'failed',
      'failed',
    ]);
  });

  test('a missing column', async () => {
    const test = await withModel();
    expect(await score(test, 'a,c\n1,2\n')).toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('no column for: b') as string,
      details: { missing: ['b'] },
    });
  });

  test('a model that is not ONNX', async () => {
    const test = await openPeopledApp();
    const { app, client, dir, wait } = test;
    writeFileSync(join(dir, 'letter.onnx'), 'Dear sir or madam');
    await expect(
      wait(
        contract.bundles.import,
        client.bundles.import({ source: app.admitFile(join(dir, 'letter.onnx')) }),
      ),
    ).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('Not an ONNX model') as string,
    });
    expect(readdirSync(join(dir, 'vault', 'staging'))).toEqual([]);
  });
});

describe('the gate and the policy', () => {
  test('unsigned is refused; an override takes the policy, a second person and a reason, and ends in quarantine', async () => {
    const test = await openPeopledApp();
    const { app, client, dir, wait, as } = test;
    const source = app.admitFile(writeFolder(join(dir, 'unsigned')));
    const attempt = (override?: { user: string; password: string; reason: string }) =>
      wait(
        contract.bundles.import,
        client.bundles.import({ source, ...(override === undefined ? {} : { override }) }),
      );
    await as('grace');
    await expect(attempt()).rejects.toMatchObject({ code: 'refused' });
    const alan = {
      user: 'alan',
      password: appPasswords.alan,
      reason: 'the maker is in the next room',
    };
    await expect(attempt(alan)).rejects.toMatchObject({ code: 'forbidden' });
    await as('ada');
    await client.policy.set({ unsigned: 'override', reason: 'trial' });
    await as('grace');
    await expect(attempt({ ...alan, password: 'wrong' })).rejects.toMatchObject({
      code: 'wrong-password',
    });
    await expect(
      attempt({ user: 'grace', password: appPasswords.grace, reason: 'me' }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    await expect(
      attempt({ user: 'audrey', password: appPasswords.audrey, reason: 'x' }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    const imported = await attempt(alan);
    expect(imported).toMatchObject({ stage: 'quarantined', overridden: true });
    writeFileSync(join(dir, 'data.csv'), 'a,b\n1,2\n');
    const run = wait(
      contract.runs.start,
      client.runs.start({
        version: `${imported.modelName}@1`,
        input: app.admitFile(join(dir, 'data.csv')),
        folder: app.admitFile(dir),
        name: 'o.csv',
      }),
    );
    await expect(run).rejects.toMatchObject({ code: 'refused' });
    const { entries } = await client.audit.list({ limit: 100 });
    expect(JSON.stringify(entries)).not.toContain(appPasswords.alan);
    const announced = entries.filter(
      ({ entry }) => entry.action === 'bundle.import' && entry.phase === 'begin',
    );
    expect(announced[0]?.entry).toMatchObject({
      reason: alan.reason,
      objects: [{ type: 'second-person', id: 'alan' }],
    });
  });

  test('a bundle changed after signing is refused as tampered, override or not', async () => {
    const test = await withModel();
    const { app, client, wait, bundle } = test;
    writeFileSync(join(bundle, 'docs/notes.txt'), 'changed');
    await client.policy.set({ unsigned: 'override', reason: 'trial' });
    const override = { user: 'alan', password: appPasswords.alan, reason: 'x' };
    await expect(
      wait(
        contract.bundles.import,
        client.bundles.import({ source: app.admitFile(bundle), override }),
      ),
    ).rejects.toMatchObject({ code: 'tampered' });
  });

  test('the same bundle twice is a conflict, and the files of a version come out as they went in', async () => {
    const test = await withModel();
    const { app, client, wait, bundle, folder, dir } = test;
    await expect(
      wait(
        contract.bundles.import,
        client.bundles.import({ source: app.admitFile(bundle), name: 'tested' }),
      ),
    ).rejects.toMatchObject({ code: 'conflict' });
    await wait(
      contract.bundles.export,
      client.bundles.export({ version: 'tested@1', folder, name: 'exported' }),
    );
    for (const name of ['model.onnx', 'model.sig', 'docs/notes.txt'])
      expect(
        readFileSync(join(dir, 'exported', name)).equals(readFileSync(join(bundle, name))),
        name,
      ).toBe(true);
  });

  test(
    'a model that hangs at first contact stays in quarantine, and the application lives',
    { timeout: 300_000 },
    async () => {
      const test = await withModel();
      const { app, client, dir, wait } = test;
      const source = app.admitFile(
        await signedFolder(join(dir, 'endless'), { 'model.onnx': bytesOf(endlessModel()) }),
      );
      const { operationId } = await client.bundles.import({ source });
      setTimeout(() => void client.operations.cancel({ operationId }), 3000);
      const operation = await app.settled(operationId, () => undefined);
      expect(operation).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
      expect(readdirSync(join(dir, 'vault', 'staging'))).toEqual([]);
      expect((await client.models.list(null)).length).toBe(1);
      expect(await wait(contract.audit.verify, client.audit.verify({}))).toMatchObject({
        status: 'intact',
      });
    },
  );
});

describe('lifecycle', () => {
  test('the second person is somebody else; rollback puts the first version back; every act is in the log', async () => {
    const test = await withModel();
    const { app, client, dir, wait, as } = test;
    const second = await signedFolder(join(dir, 'v2'), {
      'model.onnx': bytesOf(matrixModel()),
      'notes.txt': 'second',
    });
    await wait(
      contract.bundles.import,
      client.bundles.import({ source: app.admitFile(second), name: 'tested' }),
    );
    const toProduction = async (version: string): Promise<void> => {
      await as('grace');
      expect(await client.models.promote({ version, to: 'production', reason: 'r' })).toMatchObject(
        { status: 'pending' },
      );
      await as('ada');
      // The administrator imported it, and may not approve it too.
      await expect(client.models.approve({ version, reason: 'r' })).rejects.toMatchObject({
        code: 'forbidden',
      });
      await as('alan');
      await client.models.approve({ version, reason: 'r' });
    };
    await toProduction('tested@1');
    await toProduction('tested@2');
    expect(await client.models.version({ version: 'tested@production' })).toMatchObject({
      version: 2,
    });
    expect(await client.models.rollback({ model: 'tested', reason: 'worse' })).toMatchObject({
      version: 1,
      stage: 'production',
    });
    expect((await client.models.version({ version: 'tested' })).version).toBe(1);
    const history = await client.models.history({ model: 'tested' });
    expect(history.aliases.map(({ version, to }) => [version, to === null])).toEqual([
      [1, true],
      [2, false],
      [1, false],
    ]);
  });
});
