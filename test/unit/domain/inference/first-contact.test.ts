import { describe, expect, test } from 'vitest';
import { createInference } from '#domain/inference/index.ts';
import { graph, model, node, valueInfo, type OnnxModel } from '#domain/onnx/index.ts';
import { modelFiles } from '../../../support/inference.ts';
import {
  bytesOf,
  columnsModel,
  endlessModel,
  matrixModel,
  unaryModel,
} from '../../../support/onnx-models.ts';

const inference = createInference();

/** Kills the runtime with SIGFPE when it is loaded natively: attention over zero heads. */
function crashingModel(): OnnxModel {
  return model(
    graph('crash', {
      nodes: [
        node(
          'Attention',
          { inputs: ['q', 'q', 'q'], outputs: ['y'] },
          { q_num_heads: 0n, kv_num_heads: 0n },
        ),
      ],
      inputs: [valueInfo('q', 'float', [1, 2, 4])],
      outputs: [valueInfo('y', 'float', [1, 2, 4])],
    }),
    { opsets: { '': 23 }, irVersion: 10 },
  );
}

describe('first contact', () => {
  test('a blank row, golden vectors that agree, and ones that do not', async () => {
    const files = await modelFiles(bytesOf(matrixModel()));
    expect(await inference.firstContact({ ...files, golden: undefined })).toMatchObject({
      status: 'passed',
      runtime: 'wasm',
      goldenChecked: 0,
    });
    const golden = (score: number) => ({
      schemaVersion: 1 as const,
      tolerance: 1e-6,
      cases: [
        {
          inputs: { features: { shape: [1, 2], data: [1, 2] } },
          outputs: { score: { shape: [1, 1], data: [score] } },
        },
      ],
    });
    expect(await inference.firstContact({ ...files, golden: golden(9) })).toMatchObject({
      status: 'passed',
      goldenChecked: 1,
      goldenFailed: 0,
    });
    expect(await inference.firstContact({ ...files, golden: golden(10) })).toMatchObject({
      status: 'failed',
      goldenFailed: 1,
    });
  });

  test('mixed inputs work in the WebAssembly build too', async () => {
    expect(
      await inference.firstContact({
        ...(await modelFiles(bytesOf(columnsModel()))),
        golden: undefined,
      }),
    ).toMatchObject({ status: 'passed', runtime: 'wasm' });
  });

  test('a model that leaves sizes open, or refuses a blank row, is not held against it', async () => {
    const open = unaryModel('Neg');
    for (const value of [...(open.graph?.inputs ?? []), ...(open.graph?.outputs ?? [])])
      value.type = valueInfo('', 'float', [null, null]).type ?? {};
    expect(
      await inference.firstContact({ ...(await modelFiles(bytesOf(open))), golden: undefined }),
    ).toMatchObject({
      status: 'passed',
      message: expect.stringContaining('leaves sizes open') as string,
    });
    const picky = model(
      graph('picky', {
        nodes: [node('GatherElements', { inputs: ['table', 'x'], outputs: ['y'] }, { axis: 0n })],
        inputs: [valueInfo('x', 'int64', [1, 1]), valueInfo('table', 'float', [0, 1])],
        outputs: [valueInfo('y', 'float', [1, 1])],
      }),
      { opsets: { '': 17 } },
    );
    expect(
      await inference.firstContact({ ...(await modelFiles(bytesOf(picky))), golden: undefined }),
    ).toMatchObject({
      status: 'passed',
      message: expect.stringContaining('none of the inputs') as string,
    });
  });

  test('crashes and endless loops are outcomes', async () => {
    const quick = createInference({ limits: { silenceMs: 3000, loadMs: 3000 } });
    expect(
      await quick.firstContact({
        ...(await modelFiles(bytesOf(crashingModel()))),
        golden: undefined,
      }),
    ).toMatchObject({ status: 'failed' });
    expect(
      await quick.firstContact({
        ...(await modelFiles(bytesOf(endlessModel()))),
        golden: undefined,
      }),
    ).toMatchObject({ status: 'failed' });
  });
});
