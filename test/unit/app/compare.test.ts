import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { VersionDiff } from '#shared/contract/diff.ts';
import { graph, model, node, valueInfo, writeModel } from '#domain/onnx/index.ts';
import { openPeopledApp, type TestApp } from '../../support/apps.ts';
import { signedFolder, trusted, type Files } from '../../support/bundles.ts';
import { chainModel } from '../../support/graph-models.ts';
import { bytesOf, matrixModel } from '../../support/onnx-models.ts';

async function importAs(test: TestApp, name: string, files: Files): Promise<void> {
  const at = mkdtempSync(join(test.dir, 'bundle-'));
  const source = test.app.admitFile(await signedFolder(at, files));
  await test.wait(contract.bundles.import, test.client.bundles.import({ source, name }));
}

async function openWithMaker(): Promise<TestApp> {
  const opened = await openPeopledApp();
  writeFileSync(join(opened.dir, 'maker.pem'), trusted.pem);
  await opened.client.trust.add({
    name: 'Maker',
    file: opened.app.admitFile(join(opened.dir, 'maker.pem')),
  });
  await opened.as('grace');
  return opened;
}

/** Two matrices whose weights lie in a file beside the model. */
function externalModel(): Uint8Array {
  const weights = ['first', 'second'].map((name, at) => ({
    name,
    dims: [2, 2],
    dataType: 1,
    strings: [],
    dataLocation: 1,
    externalData: [
      { key: 'location', value: 'weights.bin' },
      { key: 'offset', value: String(at * 16) },
      { key: 'length', value: '16' },
    ],
  }));
  return writeModel(
    model(
      graph('external', {
        nodes: [
          node('MatMul', { inputs: ['x', 'first'], outputs: ['middle'] }),
          node('MatMul', { inputs: ['middle', 'second'], outputs: ['y'] }),
        ],
        inputs: [valueInfo('x', 'float', ['N', 2])],
        outputs: [valueInfo('y', 'float', ['N', 2])],
        initializers: weights,
      }),
      { opsets: { '': 17 } },
    ),
  );
}

const card = (version: string, accuracy: string): string =>
  JSON.stringify({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: {
      component: {
        type: 'machine-learning-model',
        name: 'external',
        version,
        modelCard: {
          quantitativeAnalysis: { performanceMetrics: [{ type: 'accuracy', value: accuracy }] },
        },
      },
    },
  });

const pipeline = (least: number): string =>
  JSON.stringify({
    schemaVersion: 1,
    columns: [
      { name: 'a', kind: 'numeric', min: least },
      { name: 'b', kind: 'numeric' },
    ],
    matrix: { input: 'x', columns: ['a', 'b'] },
  });

const areaIn = ({ areas }: VersionDiff, name: string) => areas.find(({ area }) => area === name);

describe('two versions side by side', () => {
  test('weights beside the model, metrics, card and pipeline are compared; an auditor gets what the catalog tells', async () => {
    const opened = await openWithMaker();
    const { client } = opened;
    const floats = (...values: number[]): Uint8Array =>
      new Uint8Array(Float32Array.from(values).buffer);
    for (const [last, version, accuracy, least] of [
      [8, '1.0', '0.91', 0],
      [9, '1.1', '0.93', 18],
    ] as const)
      await importAs(opened, 'external', {
        'model.onnx': externalModel(),
        'weights.bin': floats(1, 2, 3, 4, 5, 6, 7, last),
        'bom.cdx.json': card(version, accuracy),
        'pipeline.json': pipeline(least),
      });
    const diff = await client.models.diff({ from: 'external@1', to: 'external@2' });
    expect(diff.notes).toEqual([]);
    expect(areaIn(diff, 'graph')).toMatchObject({ same: 2, changes: [] });
    expect(areaIn(diff, 'weights')).toMatchObject({
      same: 1,
      changed: 1,
      changes: [{ what: 'second', kind: 'changed' }],
    });
    expect(areaIn(diff, 'metrics')?.changes).toEqual([
      { what: 'accuracy', kind: 'changed', from: '0.91', to: '0.93' },
    ]);
    expect(areaIn(diff, 'card')?.changes).toEqual([
      { what: 'version', kind: 'changed', from: '1.0', to: '1.1' },
    ]);
    expect(areaIn(diff, 'pipeline')?.changes).toEqual([
      { what: 'columns.a.min', kind: 'changed', from: '0', to: '18' },
    ]);
    expect(areaIn(diff, 'files')).toMatchObject({ same: 1, changed: 4 });

    await opened.as('audrey');
    const limited = await client.models.diff({ from: 'external@1', to: 'external@2' });
    expect(areaIn(limited, 'metrics')?.changes.length).toBe(1);
    expect(areaIn(limited, 'weights')).toBeUndefined();
    expect(limited.notes.join(' ')).toMatch(/graph and weights.*key/);
    await expect(client.models.parts({ version: 'external@1' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  test('the graph of a model comes in pages, from any of its files that is a model', async () => {
    const opened = await openWithMaker();
    const { client } = opened;
    await importAs(opened, 'chain', {
      'model.onnx': writeModel(chainModel(2500)),
      'docs/other.onnx': bytesOf(matrixModel()),
    });
    const version = 'chain@1';
    const { path, parts } = await client.models.parts({ version });
    expect([path, parts.map(({ nodes, edges }) => [nodes, edges])]).toEqual([
      'model.onnx',
      [[2502, 2501]],
    ]);
    const ids: number[] = [];
    for (let page: number | null = 0; page !== null;) {
      const got: Awaited<ReturnType<typeof client.models.graph>> = await client.models.graph({
        version,
        page,
      });
      ids.push(...got.nodes.map(({ id }) => id));
      page = got.next;
    }
    expect(ids).toEqual(Array.from({ length: 2502 }, (_, at) => at));
    const other = await client.models.parts({ version, path: 'docs/other.onnx' });
    expect(other.parts[0]?.nodes).toBe(3);
    expect(other.paths).toEqual(['docs/other.onnx', 'model.onnx']);
    await expect(client.models.parts({ version, path: 'model.sig' })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(client.models.graph({ version, part: 7 })).rejects.toMatchObject({
      code: 'not-found',
    });
    // What was read of a model goes with the key.
    await client.vault.seal(null);
    await expect(client.models.parts({ version })).rejects.toMatchObject({ code: 'locked' });
  });
});
