/** Models of all kinds, from a file of rows to a file of predictions, in the contained child. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createInference } from '#domain/inference/index.ts';
import {
  graph,
  model,
  node,
  tensorTypes,
  writeModel,
  type OnnxNode,
  type OnnxType,
  type OnnxValueInfo,
} from '#domain/onnx/index.ts';
import { modelFiles, runIn } from '../../../support/inference.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const inference = createInference();
const tensorType = (type: string, width?: number): OnnxType => ({
  tensor: {
    elemType: tensorTypes.indexOf(type),
    shape: { dims: [{}, ...(width === undefined ? [] : [{ value: width }])] },
  },
});
const value = (name: string, type: string, width?: number): OnnxValueInfo => ({
  name,
  type: tensorType(type, width),
});

async function score(
  made: {
    readonly nodes: readonly OnnxNode[];
    readonly inputs: readonly OnnxValueInfo[];
    readonly outputs: readonly OnnxValueInfo[];
  },
  csv: string,
  opsets: Readonly<Record<string, number>> = { '': 21 },
): Promise<string> {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'in.csv'), csv);
  await inference.score(
    runIn(dir, await modelFiles(writeModel(model(graph('g', made), { opsets, irVersion: 10 })))),
  );
  return readFileSync(join(dir, 'out.csv'), 'utf8');
}

describe('any model, from rows to predictions', () => {
  test('the keys of a map are columns', async () => {
    const made = {
      nodes: [
        node(
          'DictVectorizer',
          { inputs: ['m'], outputs: ['y'], domain: 'ai.onnx.ml' },
          { string_vocabulary: ['income', 'age'] },
        ),
      ],
      inputs: [
        {
          name: 'm',
          type: { map: { keyType: 8, valueType: { tensor: { elemType: 1 } } } },
        },
      ],
      outputs: [value('y', 'float', 2)],
    };
    expect(await score(made, 'age,income\n30,1.5\n40,2.5\n', { 'ai.onnx.ml': 1 })).toBe(
      'row,y[0],y[1]\n1,1.5,30\n2,2.5,40\n',
    );
  });

  test('64-bit integers beyond 2^53, and narrow floats as they are rounded', async () => {
    const made = {
      nodes: [
        node('Add', { inputs: ['n', 'n'], outputs: ['twice'] }),
        node('Mul', { inputs: ['x', 'x'], outputs: ['square'] }),
        node('Cast', { inputs: ['x'], outputs: ['small'] }, { to: 17n }),
      ],
      inputs: [value('n', 'int64', 1), value('x', 'bfloat16', 1)],
      outputs: [
        value('twice', 'int64', 1),
        value('square', 'bfloat16', 1),
        value('small', 'float8e4m3fn', 1),
      ],
    };
    expect(await score(made, 'n,x\n4611686018427387903,1.5\n-9007199254740993,0.1\n')).toBe(
      'row,twice,square,small\n1,9223372036854775806,2.25,1.5\n2,-18014398509481986,0.010009766,0.1015625\n',
    );
  });

  test('a sequence of one value per row is a column; one that is fed is refused with its name', async () => {
    const sequence: OnnxType = { sequence: { elemType: tensorType('float') } };
    const split = {
      nodes: [node('SplitToSequence', { inputs: ['x'], outputs: ['s'] }, { axis: 0n })],
      inputs: [value('x', 'float', 1)],
      outputs: [{ name: 's', type: sequence }],
    };
    expect(await score(split, 'x\n1\n2\n')).toBe('row,s\n1,1\n2,2\n');
    const fed = {
      nodes: [node('ConcatFromSequence', { inputs: ['s'], outputs: ['y'] }, { axis: 0n })],
      inputs: [{ name: 's', type: sequence }],
      outputs: [value('y', 'float', 1)],
    };
    await expect(score(fed, 'x\n1\n')).rejects.toThrow(/Input s: It is of the kind sequence/);
  });
});
