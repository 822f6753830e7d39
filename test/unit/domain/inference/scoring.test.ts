import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createInference, type ModelFiles } from '#domain/inference/index.ts';
import { compareProfiles } from '#domain/monitoring/index.ts';
import { graph, model, node, tensor, valueInfo } from '#domain/onnx/index.ts';
import { modelFiles, runIn, sealed } from '../../../support/inference.ts';
import { bytesOf, columnsModel, matrixModel, zipMapModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const inference = createInference();

async function scoreText(files: ModelFiles, csv: string, own: Parameters<typeof runIn>[2] = {}) {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'in.csv'), csv);
  const result = await inference.score(runIn(dir, files, own));
  return {
    result,
    dir,
    output: readFileSync(join(dir, 'out.csv'), 'utf8'),
    rejects: result.rejectsPath === undefined ? '' : readFileSync(result.rejectsPath, 'utf8'),
  };
}

describe('scoring a file', () => {
  test('one matrix input', async () => {
    const { result, output, dir } = await scoreText(
      await modelFiles(bytesOf(matrixModel())),
      'a,b\n1,2\n0.5,0\n',
    );
    expect(output).toBe('row,score\n1,9\n2,2\n');
    expect(result).toMatchObject({
      rows: 2,
      rejected: 0,
      outputColumns: ['row', 'score'],
      firstRows: [
        ['1', '9'],
        ['2', '2'],
      ],
      rejectsPath: undefined,
    });
    expect(result.outputSha256).toBe(createHash('sha256').update(output).digest('hex'));
    expect(result.inputSha256).toBe(createHash('sha256').update('a,b\n1,2\n0.5,0\n').digest('hex'));
    expect(readdirSync(dir).sort()).toEqual(['in.csv', 'out.csv']);
  });

  test('one input per column of five types, several outputs, rejects with row, column and reason', async () => {
    const csv =
      'color,age,weight,count,active,note\nred,40,70.5,3,true,x\ngreen,,60,9007199254740993,no,"a, b"\nblue,abc,1,1,1,x\nred,1,1,,1,x\nred,1,1\nred,1,1,1.5,1,x\n';
    const { result, output, rejects } = await scoreText(
      await modelFiles(bytesOf(columnsModel())),
      csv,
      { keepColumns: true },
    );
    expect(output.split('\n')).toEqual([
      'row,color,age,weight,count,active,note,total,count_out,color_out,inactive,pair[0],pair[1]',
      '1,red,40,70.5,3,true,x,124.5,3,red,false,40,70.5',
      '2,green,,60,9007199254740993,no,"a, b",NaN,9007199254740993,green,true,NaN,60',
      '',
    ]);
    expect(rejects.split('\n')).toEqual([
      'row,column,code,message',
      '3,age,number,Not a number.',
      '4,count,missing,"Empty, null or NaN, and the model needs a value here."',
      '5,,fields,Not as many fields as the header has.',
      '6,count,integer,Not a whole number.',
      '',
    ]);
    expect(result).toMatchObject({ rows: 2, rejected: 4 });
    expect(result.profile.rows).toBe(2);
    expect(
      result.profile.columns.map(({ name, role, kind, missing }) => [name, role, kind, missing]),
    ).toEqual([
      ['age', 'input', 'numeric', 1],
      ['weight', 'input', 'numeric', 0],
      ['count', 'input', 'numeric', 0],
      ['active', 'input', 'boolean', 0],
      ['color', 'input', 'categorical', 0],
      ['total', 'output', 'numeric', 1],
      ['count_out', 'output', 'categorical', 0],
      ['color_out', 'output', 'categorical', 0],
      ['inactive', 'output', 'boolean', 0],
      ['pair[0]', 'output', 'numeric', 1],
      ['pair[1]', 'output', 'numeric', 0],
    ]);
  });

  test('maps of class labels become columns', async () => {
    const { output } = await scoreText(await modelFiles(bytesOf(zipMapModel())), 'p,q\n2,0\n0,2\n');
    const [header, first, second] = output.split('\n').map((line) => line.split(','));
    expect(header).toEqual(['row', 'label', 'probability[no]', 'probability[yes]']);
    expect([first?.[1], second?.[1]]).toEqual(['no', 'yes']);
    expect(Number(first?.[2])).toBeCloseTo(0.8808, 4);
    expect(Number(second?.[3])).toBeCloseTo(0.8808, 4);
  });

  test('a fixed batch size is filled up; a half-float border is cast', async () => {
    const fixed = matrixModel();
    if (fixed.graph === undefined) throw new Error('The model has a graph.');
    fixed.graph.inputs = [valueInfo('features', 'float', [4, 2])];
    fixed.graph.outputs = [valueInfo('score', 'float', [4, 1])];
    const csv = `a,b\n${Array.from({ length: 10 }, (_, at) => `${at},1`).join('\n')}\n`;
    const { output } = await scoreText(await modelFiles(bytesOf(fixed)), csv);
    expect(output.trim().split('\n').slice(1)).toEqual(
      Array.from({ length: 10 }, (_, at) => `${at + 1},${2 * at + 4}`),
    );

    const half = model(
      graph('half', {
        nodes: [node('Add', { inputs: ['x', 'x'], outputs: ['y'] })],
        inputs: [valueInfo('x', 'float', [null, 1])],
        outputs: [valueInfo('y', 'float', [null, 1])],
      }),
      { opsets: { '': 17 } },
    );
    for (const value of [...(half.graph?.inputs ?? []), ...(half.graph?.outputs ?? [])])
      if (value.type?.tensor !== undefined) value.type.tensor.elemType = 10;
    // As the runtime computes with half floats: rounded on the way in, infinite beyond 65504.
    expect((await scoreText(await modelFiles(bytesOf(half)), 'x\n1.5\n0.1\n60000\n')).output).toBe(
      'row,y\n1,3\n2,0.19995117\n3,Infinity\n',
    );
  });

  test('weights in external data are read from their own encrypted file', async () => {
    const split = matrixModel();
    const weights = split.graph?.initializers[0];
    if (weights?.rawData === undefined) throw new Error('The model has weights.');
    const content = weights.rawData;
    delete weights.rawData;
    Object.assign(weights, {
      dataLocation: 1,
      externalData: [
        { key: 'location', value: 'weights.bin' },
        { key: 'length', value: '8' },
      ],
    });
    expect(
      (await scoreText(await modelFiles(bytesOf(split), { 'weights.bin': content }), 'a,b\n1,2\n'))
        .output,
    ).toBe('row,score\n1,9\n');
  });

  test('large weights, inside of the model and beside it, compute what small ones do', async () => {
    const width = 20_000;
    const weights = (value: number): Float32Array => new Float32Array(width).fill(value);
    const wide = model(
      graph('wide', {
        nodes: [
          node('Mul', { inputs: ['x', 'inside'], outputs: ['products'] }),
          node('Mul', { inputs: ['products', 'beside'], outputs: ['again'] }),
          node('ReduceSum', { inputs: ['again', 'axes'], outputs: ['y'] }),
        ],
        initializers: [
          tensor('inside', 'float', { dims: [width], data: [...weights(0.5)] }),
          tensor('beside', 'float', { dims: [width], data: [...weights(4)] }),
          tensor('axes', 'int64', { dims: [1], data: [1n] }),
        ],
        inputs: [valueInfo('x', 'float', [null, 1])],
        outputs: [valueInfo('y', 'float', [null, 1])],
      }),
      { opsets: { '': 17 } },
    );
    const beside = wide.graph?.initializers[1];
    if (beside?.rawData === undefined) throw new Error('The model has weights.');
    const content = beside.rawData;
    delete beside.rawData;
    // A name that the product would choose for the weights that it moves out.
    Object.assign(beside, {
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights' }],
    });
    const files = await modelFiles(bytesOf(wide), { weights: content });
    expect((await scoreText(files, 'x\n1\n3\n')).output).toBe('row,y\n1,40000\n2,120000\n');
  });

  test('twenty thousand rows come out in order', async () => {
    const csv = `a,b\n${Array.from({ length: 20_000 }, (_, at) => `${at},0`).join('\n')}\n`;
    const { output, result } = await scoreText(await modelFiles(bytesOf(matrixModel())), csv);
    const lines = output.trim().split('\n');
    expect(lines.length).toBe(20_001);
    expect(lines[20_000]).toBe('20000,39999');
    expect(result.profile.columns[0]).toMatchObject({ count: 20_000, mean: 9999.5 });
  });

  test('a header alone names the same columns as rows do', async () => {
    const zipMap = await modelFiles(bytesOf(zipMapModel()));
    expect((await scoreText(zipMap, 'p,q\n')).output).toBe(
      'row,label,probability[no],probability[yes]\n',
    );
    expect((await scoreText(zipMap, 'p,q\nx,1\n')).output).toBe(
      'row,label,probability[no],probability[yes]\n',
    );
  });

  test('the largest doubles are scored and profiled', async () => {
    const wide = model(
      graph('wide', {
        nodes: [node('Identity', { inputs: ['x'], outputs: ['y'] })],
        inputs: [valueInfo('x', 'double', [null, 1])],
        outputs: [valueInfo('y', 'double', [null, 1])],
      }),
      { opsets: { '': 17 } },
    );
    const { result } = await scoreText(
      await modelFiles(bytesOf(wide)),
      'x\n1.7976931348623157e308\n-1.7976931348623157e308\n1\n',
    );
    expect(result.rows).toBe(3);
    expect(
      compareProfiles(result.profile, result.profile).columns.map(({ state }) => state),
    ).toEqual(['ok', 'ok']);
  });

  test('a file with a header alone gives a file with a header alone', async () => {
    const { output, result } = await scoreText(await modelFiles(bytesOf(matrixModel())), 'a,b\n');
    expect(output).toBe('row,score\n');
    expect(result.rows).toBe(0);
  });
});

test('a reference in the vault is profiled without a file on disk', async () => {
  const files = await modelFiles(bytesOf(matrixModel()));
  const profile = await inference.profile({
    ...files,
    pipeline: undefined,
    source: await sealed(Buffer.from('a,b\n1,2\n3,4\n')),
  });
  expect(profile).toMatchObject({
    rows: 2,
    columns: [
      { name: 'a', mean: 2 },
      { name: 'b', mean: 3 },
      { name: 'score', role: 'output' },
    ],
  });
});

test('the preview shows what would be bound and what would be rejected', async () => {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'in.csv'), 'Age,weight,count,active,extra\n40,70,x,true,1\n');
  const preview = await inference.preview({
    inputPath: join(dir, 'in.csv'),
    inputs: ['age:float', 'weight:double', 'count:int64', 'active:bool', 'color:string'].map(
      (text) => {
        const [name = '', type = ''] = text.split(':');
        return { name, type, kind: 'tensor' as const, shape: [null, 1] };
      },
    ),
    pipeline: undefined,
  });
  expect(preview.binding.map(({ column, input, example }) => [column, input, example])).toEqual([
    ['Age', 'age', '40'],
    ['weight', 'weight', '70'],
    ['count', 'count', 'x'],
    ['active', 'active', 'true'],
    [null, 'color', null],
  ]);
  expect(preview.binding[2]?.problem).toContain('would be rejected');
  expect(preview.problems).toEqual(['The file has no column color.']);
  expect(preview.unusedColumns).toEqual(['extra']);
});
