import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { openPeopledApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey } from '../../support/bundles.ts';
import { bytesOf, columnsModel } from '../../support/onnx-models.ts';

test('of a bundle with several models each can be picked, comes in under its own name, and runs', async () => {
  const opened = await openPeopledApp();
  const { client, app, dir, wait } = opened;
  mkdirSync(join(dir, 'keys'));
  writeFileSync(join(dir, 'keys', 'maker.pub.pem'), signingKey.publicPem);
  await client.trust.add({
    name: 'Model maker',
    file: app.admitFile(join(dir, 'keys', 'maker.pub.pem')),
  });
  const bundle = await signedFolder(join(dir, 'pair'), {
    ...plainFiles,
    'extra/columns.onnx': bytesOf(columnsModel()),
  });
  const bring = (model?: string) =>
    wait(
      contract.bundles.import,
      client.bundles.import({
        source: app.admitFile(bundle),
        ...(model === undefined ? {} : { model }),
      }),
    );
  const inspected = await wait(
    contract.bundles.inspect,
    client.bundles.inspect({ source: app.admitFile(bundle), model: 'extra/columns.onnx' }),
  );
  expect(inspected).toMatchObject({
    verdict: 'accept',
    models: ['model.onnx', 'extra/columns.onnx'],
    model: { path: 'extra/columns.onnx', isPicked: true },
  });

  const meant = await bring();
  const picked = await bring('extra/columns.onnx');
  expect([meant.modelName, picked.modelName]).toEqual(['pair', 'pair-extra-columns']);
  expect(picked.digest).toBe(meant.digest);
  expect(picked.firstContact.status).toBe('passed');
  await expect(bring('extra/columns.onnx')).rejects.toMatchObject({ code: 'conflict' });
  await expect(bring('nothing.onnx')).rejects.toMatchObject({
    message: expect.stringContaining('The model that was picked is not there') as string,
  });

  // The pipeline is about the model that the bundle means: the picked one is bound by its own names.
  writeFileSync(join(dir, 'in.csv'), 'age,weight,count,active,color\n1,2,3,true,red\n');
  const run = await wait(
    contract.runs.start,
    client.runs.start({
      version: 'pair-extra-columns@1',
      input: app.admitFile(join(dir, 'in.csv')),
      folder: app.admitFile(dir),
      name: 'out.csv',
    }),
  );
  expect(run).toMatchObject({ rows: 1, rejected: 0 });
  expect(readFileSync(join(dir, 'out.csv'), 'utf8')).toContain('count_out');
});
