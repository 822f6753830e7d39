import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { openPeopledApp, type TestApp } from '../../support/apps.ts';
import { plainFiles, signedFolder, signingKey, type Files } from '../../support/bundles.ts';
import { bytesOf, matrixModel } from '../../support/onnx-models.ts';

interface Bench extends TestApp {
  file(name: string, content: string | Uint8Array): string;
  add(name: string, files: Files): Promise<unknown>;
  run(version: string, input: string, name: string): Promise<string>;
  /** Of the last run, in its record. */
  boundBy(): Promise<string | null | undefined>;
}

async function bench(): Promise<Bench> {
  const one = await openPeopledApp();
  const { app, client, dir, wait, as } = one;
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(dir, name), content);
    return app.admitFile(join(dir, name));
  };
  await client.trust.add({ name: 'Model maker', file: file('maker.pem', signingKey.publicPem) });
  await as('grace');
  return {
    ...one,
    file,
    async boundBy() {
      const [last] = await client.runs.list({ limit: 1 });
      const { result } = await client.runs.show({ runId: last?.runId ?? '' });
      return result?.bindingDigest;
    },
    async add(name, files) {
      const source = app.admitFile(await signedFolder(join(dir, `bundle-${name}`), files));
      return wait(contract.bundles.import, client.bundles.import({ source, name }));
    },
    async run(version, input, name) {
      await wait(
        contract.runs.start,
        client.runs.start({ version, input, folder: app.admitFile(dir), name }),
      );
      return readFileSync(join(dir, name), 'utf8');
    },
  };
}

const model = { 'model.onnx': bytesOf(matrixModel()) };

test('what a file shows is saved with the version, counts for later runs, and is in the log', async () => {
  const { client, as, file, add, run, boundBy, dir } = await bench();
  await add('plain', model);
  expect(await client.bindings.show({ version: 'plain@1' })).toMatchObject({
    source: 'none',
    pipeline: null,
    inputs: [],
  });
  const first = file('first.csv', 'b,a\n1,10\n');
  await run('plain@1', first, 'told.out.csv');
  expect(await boundBy()).toBeNull();
  const saved = await client.bindings.save({ version: 'plain@1', input: first });
  expect(saved.inputs).toEqual([{ input: 'features', columns: ['b', 'a'] }]);
  expect(await client.bindings.show({ version: 'plain@1' })).toMatchObject({
    source: 'saved',
    savedBy: 'grace',
    digest: saved.digest,
    inputs: saved.inputs,
  });
  const expected = await run('plain@1', first, 'first.out.csv');
  expect(await boundBy()).toBe(saved.digest);
  const receipt = readFileSync(join(dir, 'first.out.csv.receipt.json'), 'utf8');
  const { payload } = JSON.parse(receipt) as { payload: string };
  expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
    predicate: { binding: { digest: { sha256: saved.digest.replace('sha256:', '') } } },
  });
  // Another order of columns, and one more: without the binding the file would be refused, or be read in another way.
  const second = file('second.csv', 'who,a,b\nx,10,1\n');
  expect(await run('plain@1', second, 'second.out.csv')).toBe(expected);
  await expect(run('plain@1', file('third.csv', 'a,c\n1,2\n'), 'third.out.csv')).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-input', details: { missing: ['b'] } }),
  );

  const swapped = await client.bindings.save({
    version: 'plain@1',
    input: second,
    inputs: { features: ['a', 'b'] },
  });
  expect(swapped.digest).not.toBe(saved.digest);
  expect(await run('plain@1', second, 'fourth.out.csv')).not.toBe(expected);

  await as('audrey');
  const { entries } = await client.audit.list({ limit: 100 });
  const acts = entries
    .map(({ entry }) => entry)
    .filter(({ action, phase }) => action === 'binding.save' && phase === 'outcome');
  // Newest first.
  expect(acts.map(({ objects }) => objects.at(-1)?.digest)).toEqual([swapped.digest, saved.digest]);
});

test('what the bundle says cannot be changed, and a file that does not fit saves nothing', async () => {
  const { client, as, file, add } = await bench();
  await add('told', plainFiles);
  await add('plain', model);
  expect(await client.bindings.show({ version: 'told@1' })).toMatchObject({
    source: 'bundle',
    savedBy: null,
    inputs: [{ input: 'features', columns: ['a', 'b'] }],
  });
  const csv = file('data.csv', 'a,b\n1,2\n');
  await expect(client.bindings.save({ version: 'told@1', input: csv })).rejects.toThrow(
    expect.objectContaining({ code: 'conflict' }),
  );
  for (const attempt of [
    { version: 'plain@1', input: file('wide.csv', 'a,b,c\n1,2,3\n') },
    { version: 'plain@1', input: csv, inputs: { features: ['a', 'z'] } },
    { version: 'plain@1', input: csv, inputs: { other: ['a', 'b'] } },
  ])
    await expect(client.bindings.save(attempt)).rejects.toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  expect(await client.bindings.show({ version: 'plain@1' })).toMatchObject({ source: 'none' });
  await as('alan');
  await expect(client.bindings.save({ version: 'plain@1', input: csv })).rejects.toThrow(
    expect.objectContaining({ code: 'forbidden' }),
  );
});

test('steps before and behind the model run in the contained child, with labels from the bundle', async () => {
  const { file, add, run } = await bench();
  await add('stepped', {
    ...model,
    'labels.txt': 'low\nhigh\n',
    'pipeline.json': JSON.stringify({
      schemaVersion: 2,
      columns: [{ name: 'income', kind: 'numeric', unit: 'EUR' }],
      steps: [
        { step: 'impute', columns: { income: 0 } },
        { step: 'date', columns: ['opened'], parts: ['year'] },
      ],
      inputs: { features: ['income', 'opened_year'] },
      outputs: [
        { step: 'threshold', output: 'score', at: 7000, as: 'above' },
        { step: 'argmax', output: 'score', as: 'class' },
        { step: 'labels', output: 'class', file: 'labels.txt' },
      ],
    }),
  });
  const text = await run(
    'stepped@1',
    file('in.csv', 'opened,income [EUR]\n2024-01-02,\nyesterday,1\n2024-01-02,1e6\n'),
    'out.csv',
  );
  expect(text).toBe('row,score,above,class\n1,6073,false,low\n3,2006073,true,low\n');
  await expect(
    run('stepped@1', file('usd.csv', 'opened,income [USD]\n2024-01-02,1\n'), 'usd.out.csv'),
  ).rejects.toThrow(expect.objectContaining({ code: 'invalid-input' }));
});

test('a tokenizer that does not parse is refused at import', async () => {
  const { add, client } = await bench();
  await expect(
    add('words', {
      ...model,
      'tokenizer.json': '{"model": 7}',
      'pipeline.json': JSON.stringify({
        schemaVersion: 2,
        steps: [{ step: 'tokenize', column: 'text', file: 'tokenizer.json', maxLength: 8 }],
      }),
    }),
  ).rejects.toThrow(expect.objectContaining({ code: 'corrupt' }));
  expect(await client.models.list(null)).toEqual([]);
});

test("MLflow's signature counts in the run: its order, its required columns, its integers", async () => {
  const { file, add, run, client, dir } = await bench();
  const columns = [
    { type: 'double', name: 'b', required: true },
    { type: 'long', name: 'a', required: true },
    { type: 'string', name: 'note', required: true },
  ];
  await add('signed', {
    ...model,
    MLmodel: `flavors:\n  onnx:\n    data: model.onnx\nsignature:\n  inputs: '${JSON.stringify(columns)}'\n`,
  });
  expect(await client.bindings.show({ version: 'signed@1' })).toMatchObject({ source: 'bundle' });
  const good = file('good.csv', 'a,b,note,id\n1,10,x,7\n1.5,10,x,8\n,10,x,9\n2,,x,10\n');
  // 2 · b + 3 · a + 1; a missing double is NaN, a missing integer is none.
  expect(await run('signed@1', good, 'signed.csv')).toBe('row,score\n1,24\n4,NaN\n');
  expect(readFileSync(join(dir, 'signed.csv.rejects.csv'), 'utf8')).toContain('2,a,integer');
  await expect(run('signed@1', file('bad.csv', 'a,b\n1,10\n'), 'bad.out.csv')).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-input', details: { missing: ['note'] } }),
  );
});
