/** Pictures and texts the whole way: a folder, the contained child with sharp and the tokenizer in it, a file of predictions. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { createInference } from '#domain/inference/index.ts';
import { graph, model, node, valueInfo, writeModel, type OnnxModel } from '#domain/onnx/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { modelFiles, sealed } from '../../../support/inference.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const opsets = { '': 13 };

async function score(
  built: OnnxModel,
  inputPath: string,
  more: { readonly pipeline?: unknown; readonly assets?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly rows: string[][]; readonly rejects: (string | null)[][] }> {
  const outputPath = join(temporaryFolder(), 'out.csv');
  const outcome = await createInference().score({
    ...(await modelFiles(writeModel(built))),
    assets: await Promise.all(
      Object.entries(more.assets ?? {}).map(async ([path, content]) => ({
        path,
        file: await sealed(Buffer.from(content)),
      })),
    ),
    pipeline: more.pipeline === undefined ? undefined : pipelineSchema.parse(more.pipeline),
    inputPath,
    outputPath,
    keepColumns: false,
    runId: '0123456789abcdef',
  });
  return {
    rows: readFileSync(outputPath, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(',')),
    rejects: outcome.firstRejects.map(({ row, column, code }) => [String(row), column, code]),
  };
}

test('a folder of images, bound without a word: each is decoded in the child, bad ones are rejected', async () => {
  const folder = join(temporaryFolder(), 'images');
  mkdirSync(folder);
  const plain = (red: number, width: number) =>
    sharp({ create: { width, height: 20, channels: 3, background: { r: red, g: 0, b: 0 } } });
  writeFileSync(join(folder, 'a.png'), await plain(51, 30).png().toBuffer());
  writeFileSync(join(folder, 'b.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]));
  writeFileSync(join(folder, 'c.webp'), await plain(255, 20).webp({ lossless: true }).toBuffer());
  const outside = join(folder, '../outside.png');
  writeFileSync(outside, await plain(102, 20).png().toBuffer());
  symlinkSync(outside, join(folder, 'd.png'));
  symlinkSync(folder, join(folder, '../link'));
  // None of them is opened, and none keeps anybody waiting.
  symlinkSync('/dev/zero', join(folder, 'e.png'));
  symlinkSync('f.png', join(folder, 'f.png'));
  execFileSync('mkfifo', [join(folder, 'g.png')]);
  const brightest = model(
    graph('brightest', {
      nodes: [node('GlobalMaxPool', { inputs: ['pixels'], outputs: ['brightest'] })],
      inputs: [valueInfo('pixels', 'float', ['N', 3, 8, 8])],
      outputs: [valueInfo('brightest', 'float', ['N', 3, 1, 1])],
    }),
    { opsets },
  );
  const { rows, rejects } = await score(brightest, join(folder, '../link'));
  expect(rows).toEqual([
    ['row', 'brightest[0]', 'brightest[1]', 'brightest[2]'],
    ['1', '0.2', '0', '0'],
    ['3', '1', '0', '0'],
  ]);
  expect(rejects).toEqual([
    ['2', 'image', 'image'],
    ...['4', '5', '6', '7'].map((row) => [row, null, 'file']),
  ]);
});

test('texts through a tokenizer of the bundle', async () => {
  const path = join(temporaryFolder(), 'in.csv');
  writeFileSync(path, 'review\ngood film\nfilm\n');
  const words = ['[PAD]', '[UNK]', 'good', 'film'];
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  };
  const ids = model(
    graph('ids', {
      nodes: [node('Identity', { inputs: ['input_ids'], outputs: ['ids'] })],
      inputs: [valueInfo('input_ids', 'int64', ['N', 4])],
      outputs: [valueInfo('ids', 'int64', ['N', 4])],
    }),
    { opsets },
  );
  const pipeline = {
    schemaVersion: 2,
    steps: [{ step: 'tokenize', column: 'review', file: 'tokenizer.json', maxLength: 4 }],
  };
  const { rows } = await score(ids, path, {
    assets: { 'tokenizer.json': JSON.stringify(tokenizer) },
    pipeline,
  });
  expect(rows).toEqual([
    ['row', 'ids[0]', 'ids[1]', 'ids[2]', 'ids[3]'],
    ['1', '2', '3', '0', '0'],
    ['2', '3', '0', '0', '0'],
  ]);

  writeFileSync(path, `review\ngood film\n${'film '.repeat(20_001)}\n`);
  const shown = await createInference().preview({
    inputPath: path,
    inputs: [{ name: 'input_ids', kind: 'tensor', type: 'int64', shape: ['N', 4] }],
    pipeline: pipelineSchema.parse(pipeline),
    assets: [
      { path: 'tokenizer.json', file: await sealed(Buffer.from(JSON.stringify(tokenizer))) },
    ],
  });
  expect(shown).toMatchObject({ problems: [], rejects: [{ row: 2, code: 'length' }] });
});
