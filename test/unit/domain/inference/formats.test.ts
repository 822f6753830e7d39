import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createInference } from '#domain/inference/index.ts';
import { graph, model, node, valueInfo } from '#domain/onnx/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { loadDriver } from '#domain/tables/index.ts';
import { parquetFile } from '../../../support/duckdb.ts';
import { modelFiles } from '../../../support/inference.ts';
import { bytesOf, columnsModel, matrixModel } from '../../../support/onnx-models.ts';
import { openSource, readTable } from '../../../support/read-table.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const inference = createInference();

async function score(
  inputPath: string,
  options: Partial<Parameters<typeof inference.score>[0]> & { readonly bytes?: Uint8Array } = {},
) {
  const { bytes = bytesOf(matrixModel()), ...request } = options;
  const outputPath = join(temporaryFolder(), 'out.csv');
  const result = await inference.score({
    ...(await modelFiles(bytes)),
    pipeline: undefined,
    inputPath,
    outputPath,
    keepColumns: false,
    runId: '0123456789abcdef',
    ...request,
  });
  return {
    result,
    output: readFileSync(outputPath, 'utf8'),
    rejects: result.rejectsPath === undefined ? '' : readFileSync(result.rejectsPath, 'utf8'),
  };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const rows = Array.from({ length: 100 }, (_, at) => ({ a: at / 4, b: at % 7 }));

test('rows to keep come as texts from every format, each with what was predicted for it', async () => {
  const texts = file('texts/a.txt', 'x');
  writeFileSync(join(dirname(texts), 'b.txt'), Buffer.of(0xff));
  const length = model(
    graph('length', {
      nodes: [node('Identity', { inputs: ['text'], outputs: ['same'] })],
      inputs: [valueInfo('text', 'string', ['N'])],
      outputs: [valueInfo('same', 'string', ['N'])],
    }),
    { opsets: { '': 17 } },
  );
  const table = tableFromArrays({
    who: ['ä', 'b'],
    a: Float64Array.of(1.5, Number.NaN),
    b: Int32Array.of(2, 3),
  });
  const select = "SELECT * FROM (VALUES ('ä', 1.5::DOUBLE, 2), ('b', NULL, 3)) t(who, a, b)";
  const pipeline = pipelineSchema.parse({ schemaVersion: 2, inputs: { features: ['a', 'b'] } });
  const inputs: readonly (readonly [string, object?])[] = [
    // `row` is what the predictions call the number of the row.
    [file('in.csv', Buffer.from('who;a;b;row\n\xe4;1,5;2;7\nb;;3;8\nb;x"y;3;9\n', 'latin1'))],
    [file('in.jsonl', '{"who":"ä","a":1.5,"b":2}\n{"who":"b","b":3}\n[]\n')],
    [await parquetFile(select)],
    [file('in.arrow', tableToIPC(table, 'file'))],
    [dirname(texts), { bytes: bytesOf(length) }],
  ];
  for (const [inputPath, more] of inputs) {
    const joined: { row: number; who: string; predicted: boolean; isBad: boolean }[] = [];
    const ask = (path: string, sha256?: string) =>
      score(inputPath, {
        ...(more ?? { pipeline }),
        keepColumns: true,
        async beforePublishing(outcome, { predictionsPath }) {
          const batches = inference.joined({
            inputPath: path,
            predictionsPath,
            table: outcome.table,
            inputSha256: sha256 ?? outcome.inputSha256,
            predictionsSha256: outcome.outputSha256,
            signal: new AbortController().signal,
          });
          for await (const batch of batches)
            for (const { row, input, predictions, isBad } of batch) {
              if (predictions !== null)
                expect(predictions.slice(0, 2)).toEqual([String(row), input[0]]);
              joined.push({ row, who: input[0] ?? '', predicted: predictions !== null, isBad });
            }
        },
      });
    await ask(inputPath);
    const isFolder = inputPath === dirname(texts);
    const isTyped = /parquet|arrow/.test(inputPath);
    const last = isFolder ? [] : [{ row: 3, predicted: false, isBad: true }];
    expect(joined, inputPath).toMatchObject([
      { row: 1, who: isFolder ? 'a.txt' : 'ä', predicted: true, isBad: false },
      { row: 2, who: isFolder ? 'b.txt' : 'b', predicted: !isFolder, isBad: isFolder },
      ...(isTyped ? [] : last),
    ]);
    if (inputPath.endsWith('csv'))
      await expect(ask(inputPath, '0'.repeat(64))).rejects.toMatchObject({ code: 'io' });
  }
});

describe('a run reads', () => {
  test('the same rows from every format, whatever the name of the file says', async () => {
    const csv = file('in.csv', `a,b\n${rows.map(({ a, b }) => `${a},${b}\n`).join('')}`);
    const expected = await score(csv);
    expect(expected.result).toMatchObject({ rows: 100, table: { format: 'csv' } });
    const table = tableFromArrays({
      a: Float64Array.from(rows, ({ a }) => a),
      b: Int32Array.from(rows, ({ b }) => b),
    });
    const inputs = {
      parquet: await parquetFile('SELECT i / 4 AS a, i % 7 AS b FROM range(100) t(i)'),
      arrow: file('lies.csv', tableToIPC(table, 'file')),
      jsonl: file('in.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    };
    for (const [format, path] of Object.entries(inputs)) {
      const { result, output } = await score(path);
      expect(result.table.format).toBe(format);
      expect(output, format).toBe(expected.output);
      expect(result.profile, format).toEqual(expected.result.profile);
    }
  });

  test('types without loss, and rejects what does not fit with its reason', async () => {
    const path = file(
      'in.jsonl',
      [
        '{"color":"red","age":40,"weight":70.5,"count":9007199254740993,"active":true,"note":"x"}',
        '{"color":"red","age":"old","weight":1,"count":1,"active":true}',
        '{"color":"red","age":1,"weight":1,"count":1.5,"active":true}',
        '{"color":["red"],"age":1,"weight":1,"count":1,"active":true}',
        'not json',
        '{"color":"blue","weight":1,"count":1,"active":false}',
      ].join('\n'),
    );
    const { output, rejects } = await score(path, {
      bytes: bytesOf(columnsModel()),
      keepColumns: true,
    });
    expect(output.split('\n')[1]).toBe(
      '1,red,40,70.5,9007199254740993,true,x,9007199000000000,9007199254740993,red,false,40,70.5',
    );
    expect(rejects.split('\n').slice(1)).toEqual([
      '2,age,number,Not a number.',
      '3,count,integer,Not a whole number.',
      '4,color,json,Not a JSON object of plain values.',
      '5,,json,Not a JSON object of plain values.',
      '',
    ]);
  });

  test('what cannot be a row of a CSV, each with its reason: ragged, ten megabytes, another encoding, a NUL byte', async () => {
    const rows = ['1,2', '3', '4,5,6', `7,"${'x'.repeat(10e6)}"`, '8,\xe9', '9,\0', '10,11'];
    const path = file('in.csv', Buffer.from(`a,b\n${rows.join('\n')}\n`, 'latin1'));
    const { result, rejects } = await score(path, { dialect: { encoding: 'utf-8' } });
    expect(result).toMatchObject({ rows: 2, rejected: 5 });
    expect(rejects.split('\n').slice(1)).toEqual([
      '2,,fields,Not as many fields as the header has.',
      '3,,fields,Not as many fields as the header has.',
      '4,,length,Longer than a cell may be.',
      '5,,encoding,"Not valid text in the encoding of the file, or with a NUL byte in it."',
      '6,,encoding,"Not valid text in the encoding of the file, or with a NUL byte in it."',
      '',
    ]);
  });

  test('a folder of images, the damaged and the oversized among them as rejects', async () => {
    const dir = join(temporaryFolder(), 'images');
    mkdirSync(dir);
    const grey = (value: number) =>
      sharp({
        create: { width: 4, height: 4, channels: 3, background: { r: value, g: value, b: value } },
      });
    writeFileSync(join(dir, 'a.png'), await grey(51).png().toBuffer());
    writeFileSync(join(dir, 'b.png'), 'no image');
    writeFileSync(join(dir, 'c.jpg'), await grey(255).jpeg().toBuffer());
    writeFileSync(join(dir, 'd.png'), pngOfSize(100_000, 100_000));
    mkdirSync(join(dir, 'e'));
    const mean = model(
      graph('mean', {
        nodes: [
          node(
            'ReduceMean',
            { inputs: ['image'], outputs: ['mean'] },
            { axes: [1n, 2n, 3n], keepdims: 0n },
          ),
        ],
        inputs: [valueInfo('image', 'float', [null, 3, 2, 2])],
        outputs: [valueInfo('mean', 'float', [null])],
      }),
      { opsets: { '': 13 } },
    );
    const pipeline = pipelineSchema.parse({
      schemaVersion: 2,
      columns: [],
      steps: [
        {
          step: 'image',
          column: 'image',
          as: 'image',
          resize: { width: 2, height: 2 },
          scale: 1 / 255,
        },
      ],
    });
    const { result, output, rejects } = await score(dir, {
      bytes: bytesOf(mean),
      pipeline,
      keepColumns: true,
    });
    expect(result).toMatchObject({ rows: 2, rejected: 3, table: { format: 'images' } });
    expect(output).toBe('row,file,mean\n1,a.png,0.2\n3,c.jpg,1\n');
    expect(
      rejects
        .split('\n')
        .slice(1)
        .map((line) => line.split(',').slice(0, 3).join(',')),
    ).toEqual(['2,image,image', '4,image,image', '5,,file', '']);
  });

  test.each([
    ['empty.csv', ''],
    ['empty.parquet', ''],
    ['empty.jsonl', ''],
    ['cut.arrow', 'ARROW1\0\0'],
    ['text.parquet', 'a,b\n1,2\n'],
  ])('%s as a corrupt file and leaves nothing behind', async (name, content) => {
    await expect(score(file(name, content))).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('a run writes', () => {
  const csv = [
    'color,age,weight,count,active,note',
    'red,40,70.5,9007199254740993,true,"a ""quoted"", line\nand more"',
    'blue,,1e300,-1,false,',
    'green,1.5,x,1,true,rejected',
  ].join('\n');

  test('the same rows and types in every format, again and again the same bytes', async () => {
    const path = file('in.csv', csv);
    const digests: Record<string, string[]> = {};
    for (const format of ['jsonl', 'parquet', 'arrow'] as const) {
      for (let time = 0; time < 2; time += 1) {
        const outputPath = join(temporaryFolder(), `out.${format}`);
        const result = await inference.score({
          ...(await modelFiles(bytesOf(columnsModel()))),
          pipeline: undefined,
          inputPath: path,
          outputPath,
          outputFormat: format,
          keepColumns: true,
          runId: '0123456789abcdef',
        });
        const bytes = readFileSync(outputPath);
        expect(result.outputSha256).toBe(hash('sha256', bytes));
        expect(result.rejected).toBe(1);
        (digests[format] ??= []).push(result.outputSha256);
        expect(readdirSync(dirname(outputPath)).toSorted()).toEqual([
          `out.${format}`,
          `out.${format}.rejects.csv`,
        ]);
        if (time > 0) continue;
        const wanted = [
          { name: 'row', as: 'integer' },
          { name: 'note', as: 'text' },
          { name: 'total', as: 'number' },
          { name: 'count_out', as: 'integer' },
          { name: 'color_out', as: 'text' },
          { name: 'inactive', as: 'boolean' },
          { name: 'pair[1]', as: 'number' },
        ] as const;
        const table = await readTable(await loadDriver(format), openSource(outputPath), wanted);
        expect(table.info.columns.map(({ name }) => name)).toEqual(
          'row color age weight count active note total count_out color_out inactive pair[0] pair[1]'.split(
            ' ',
          ),
        );
        expect(table.columns, format).toEqual({
          row: [1n, 2n],
          note: ['a "quoted", line\nand more', null],
          // As a text a float has as many digits as tell it from its neighbours.
          total: [format === 'jsonl' ? 9007199000000000 : 2 ** 53, null],
          count_out: [9007199254740993n, -1n],
          color_out: ['red', 'blue'],
          inactive: [false, true],
          'pair[1]': [70.5, format === 'jsonl' ? null : Infinity],
        });
      }
    }
    for (const same of Object.values(digests)) expect(same[0]).toBe(same[1]);
  });

  test('an empty table too', async () => {
    for (const format of ['jsonl', 'parquet', 'arrow'] as const) {
      const outputPath = join(temporaryFolder(), `out.${format}`);
      await inference.score({
        ...(await modelFiles(bytesOf(matrixModel()))),
        pipeline: undefined,
        inputPath: file('in.csv', 'a,b\nx,y\n'),
        outputPath,
        outputFormat: format,
        keepColumns: false,
        runId: '0123456789abcdef',
      });
      if (format === 'jsonl') expect(readFileSync(outputPath, 'utf8')).toBe('');
      else {
        const { info, rows: count } = await readTable(
          await loadDriver(format),
          openSource(outputPath),
        );
        expect([count, info.columns.map(({ name }) => name)]).toEqual([0, ['row', 'score']]);
      }
    }
  });
});

/** It claims ten thousand million pixels and holds next to none. */
function pngOfSize(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(100_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
