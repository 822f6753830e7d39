import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { createRunJournal, type InterruptedRun } from '#app/run-journal.ts';
import type { BatchJournal } from '#domain/inference/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import { openPeopledApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey } from '../../support/bundles.ts';
import { bytesOf, columnsModel, matrixModel } from '../../support/onnx-models.ts';
import { openServingApp, serve } from '../../support/serving.ts';

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

test('models of one bundle answer each for itself, served and resumed', async () => {
  const opened = await openServingApp();
  const { client, app, dir, wait } = opened;
  const other = structuredClone(matrixModel());
  for (const weights of other.graph?.initializers ?? [])
    if (weights.rawData !== undefined)
      weights.rawData = new Uint8Array(
        Float32Array.from(floatsOf(weights.rawData), (value) => value * 100).buffer,
      );
  const bundle = await signedFolder(join(dir, 'pair'), {
    'model.onnx': bytesOf(matrixModel()),
    'extra/second.onnx': bytesOf(other),
  });
  for (const model of [undefined, 'extra/second.onnx'])
    await wait(
      contract.bundles.import,
      client.bundles.import({
        source: app.admitFile(bundle),
        ...(model === undefined ? {} : { model }),
      }),
    );
  const { ask } = await serve(opened);
  const body = JSON.stringify({
    inputs: [{ name: 'features', shape: [1, 2], datatype: 'FP32', data: [1, 2] }],
  });
  const answers: unknown[] = [];
  for (const name of ['pair', 'pair-extra-second']) {
    const answer = await ask(`/v2/models/${name}/versions/1/infer`, { body });
    answers.push(answer.json());
  }
  expect(answers).toMatchObject([{ outputs: [{ data: [9] }] }, { outputs: [{ data: [900] }] }]);

  const input = {
    inputPath: '/in.csv',
    keepColumns: false,
    reference: false,
    keep: false,
    subject: undefined,
    outputFormat: 'csv' as const,
  };
  const journalOf = (model: string) => {
    const version = { model, version: 1, digest: `sha256:${'0'.repeat(64)}` } as ResolvedVersion;
    return createRunJournal({ input, version, pipeline: undefined, resumedBy: [] });
  };
  const columns = join(dir, 'columns.csv');
  writeFileSync(columns, 'a,b,c\n1,2,3\n');
  const version = 'pair-extra-second@1';
  await client.bindings.save({
    version,
    input: app.admitFile(columns),
    inputs: { features: ['a', 'c'] },
  });
  expect(await client.bindings.show({ version })).toMatchObject({ source: 'saved' });
  const run = await wait(
    contract.runs.start,
    client.runs.start({
      version,
      input: app.admitFile(columns),
      folder: app.admitFile(dir),
      name: 'bound.csv',
    }),
  );
  expect(run).toMatchObject({ rows: 1 });

  const begun = JSON.parse(journalOf('pair').at({} as BatchJournal)) as InterruptedRun;
  journalOf('pair').requireSame(begun);
  expect(() => journalOf('pair-extra-second').requireSame(begun)).toThrow(/begun by pair@1/);
});

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
