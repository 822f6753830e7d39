import { gunzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorSpec } from '#shared/contract/bundles.ts';
import type { TensorData } from '#domain/onnx/index.ts';
import { inferReply, parseInferRequest, type ServedModel } from '#domain/serving/index.ts';
import { headerOf, recordedRequests } from '../../../support/recorded.ts';
import { servedTypes } from '../../../support/serving.ts';

const vectors = recordedRequests.filter(({ tensors }) => tensors !== undefined);

const tensors = (prefix: string): TensorSpec[] =>
  Object.entries(servedTypes).map(([name, type]) => ({
    name: prefix + name,
    kind: 'tensor',
    type,
    shape: ['N', 1],
  }));
const echo: ServedModel = { inputs: tensors(''), outputs: tensors('out_') };

/** Floats as numbers, everything else as text, as the vectors have it. */
function told({ type, data }: TensorData): (number | string)[] {
  return Array.from(data as ArrayLike<number | bigint | string>, (value) =>
    type === 'bool' ? String(value === 1) : typeof value === 'bigint' ? String(value) : value,
  ).map((value) =>
    type.startsWith('float') || type === 'double' || type === 'string' ? value : String(value),
  );
}

describe('requests as published clients write them', () => {
  test.each(vectors.map((vector) => [vector.client, vector.about, vector] as const))(
    '%s: %s',
    (_client, _about, vector) => {
      const sent = Buffer.from(vector.body, 'base64');
      const encoding = headerOf(vector.head, 'content-encoding');
      const body =
        encoding === 'gzip' ? gunzipSync(sent) : encoding === 'deflate' ? inflateSync(sent) : sent;
      const length = headerOf(vector.head, 'inference-header-content-length');
      const request = parseInferRequest(
        body,
        length === undefined ? undefined : Number(length),
        echo,
      );
      for (const [name, { shape, values }] of Object.entries(vector.tensors ?? {})) {
        const feed = request.feeds[name];
        expect(feed?.dims, name).toEqual(shape);
        expect(feed === undefined ? [] : told(feed), name).toEqual(values);
      }
      expect(request.id).toBe(vector.id);
      expect(request.wanted?.map(({ name }) => name)).toEqual(vector.wanted);
      expect(request.binaryOutput).toBe(vector.binaryOutput ?? false);
    },
  );
});

const one = (type: string, shape: TensorSpec['shape'] = [null]): ServedModel => ({
  inputs: [{ name: 'x', kind: 'tensor', type, shape }],
  outputs: [{ name: 'x', kind: 'tensor', type, shape }],
});
const datatypeByType: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(servedTypes).map(([name, type]) => [type, name.toUpperCase()]),
);
const jsonBody = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** What a reply with one output says, read back as a request with one input of the same name. */
function readBack(type: string, data: TensorData['data'], binaryOutput: boolean): TensorData {
  const carried = type === 'float16' || type === 'bfloat16' ? 'float' : type;
  const tensor = { type: carried, dims: [data.length], data };
  const reply = inferReply(
    { model: 'm', version: 1, tensors: one(type) },
    { id: undefined, wanted: undefined, binaryOutput },
    { x: tensor },
  );
  const jsonBytes = reply.jsonBytes ?? reply.body.length;
  const text = Buffer.from(reply.body.subarray(0, jsonBytes))
    .toString()
    .replace('"outputs"', '"inputs"');
  const json = Buffer.from(text);
  const request = parseInferRequest(
    Buffer.concat([json, reply.body.subarray(jsonBytes)]),
    reply.jsonBytes === undefined ? undefined : json.length,
    one(type),
  );
  return request.feeds['x'] ?? { type: 'none', dims: [], data: [] };
}

const finite = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);
const arbitraries: Readonly<Record<string, fc.Arbitrary<TensorData['data']>>> = {
  bool: fc.array(fc.integer({ min: 0, max: 1 })).map((all) => Uint8Array.from(all)),
  int8: fc.int8Array(),
  int16: fc.int16Array(),
  int32: fc.int32Array(),
  int64: fc.bigInt64Array(),
  uint8: fc.uint8Array(),
  uint16: fc.uint16Array(),
  uint32: fc.uint32Array(),
  uint64: fc.bigUint64Array(),
  float: fc.float32Array().map((all) => all.filter(finite)),
  double: fc.float64Array().map((all) => all.filter(finite)),
  float16: fc.float32Array().map((all) => all.map((value) => Math.f16round(value)).filter(finite)),
  bfloat16: fc.uint16Array().map((all) => {
    const floats = new Float32Array(all.length);
    new Uint32Array(floats.buffer).set(Uint32Array.from(all, (half) => half << 16));
    return floats.filter(finite);
  }),
  string: fc.array(fc.string({ unit: 'binary' })),
};

describe('every type goes out and comes in again unchanged', () => {
  for (const [type, arbitrary] of Object.entries(arbitraries))
    test(type, () => {
      fc.assert(
        fc.property(arbitrary, fc.boolean(), (data, binary) => {
          const back = readBack(type, data, binary);
          expect([...(back.data as string[])]).toEqual([...(data as string[])]);
        }),
        { numRuns: 60 },
      );
    });

  test('NaN and infinities only as binary data', () => {
    const data = Float32Array.of(NaN, Infinity, -Infinity);
    expect(readBack('float', data, true).data).toEqual(data);
    expect(() => readBack('float', data, false)).toThrow(/"binary_data": true/);
  });
});

test('whole numbers keep their digits among fractions, and a long JSON is refused', () => {
  const parse = (data: string): TensorData | undefined =>
    parseInferRequest(
      Buffer.from(`{"inputs":[{"name":"x","shape":[3],"datatype":"INT64","data":${data}}]}`),
      undefined,
      one('int64'),
    ).feeds['x'];
  expect(parse('[9007199254740993,-9223372036854775808,5]')?.data).toEqual(
    BigInt64Array.of(9007199254740993n, -9223372036854775808n, 5n),
  );
  expect(() => parse('[9223372036854775808,0,0]')).toThrow(/no INT64/);
  expect(() => parse(`[0,0,0${' '.repeat(17 * 2 ** 20)}]`)).toThrow(/at most 16 MiB/);
  const double = parseInferRequest(
    Buffer.from(
      '{"inputs":[{"name":"x","shape":[2],"datatype":"FP64","data":[0.30000000000000004,12345678901234567890]}]}',
    ),
    undefined,
    one('double'),
  );
  expect(double.feeds['x']?.data).toEqual(
    Float64Array.of(0.30000000000000004, Number('12345678901234567890')),
  );
});

describe('what is no request is refused with a sentence', () => {
  const input = { name: 'x', shape: [2], datatype: 'FP32', data: [1, 2] };
  const cases: readonly [string, unknown, RegExp, ServedModel?][] = [
    ['no JSON', '{"inputs":[', /not JSON/],
    ['NaN', '{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]}', /binary data/],
    ['no inputs', { outputs: [] }, /inputs/],
    ['a missing input', { inputs: [] }, /lacks x/],
    ['an unknown input', { inputs: [{ ...input, name: 'y' }] }, /no input y\. It takes: x/],
    ['an input twice', { inputs: [input, input] }, /given twice/],
    ['another type', { inputs: [{ ...input, datatype: 'FP64' }] }, /is FP32, and FP64/],
    ['no type', { inputs: [{ ...input, datatype: 'FLOAT' }] }, /datatype/],
    ['another rank', { inputs: [{ ...input, shape: [2, 1] }] }, /\[-1\], and \[2, 1\]/],
    ['another width', { inputs: [input] }, /\[3\], and \[2\]/, one('float', [3])],
    ['a negative dimension', { inputs: [{ ...input, shape: [-2] }] }, /shape/],
    [
      'a shape beyond memory',
      { inputs: [{ ...input, shape: [2 ** 40, 2 ** 40] }] },
      /too large/,
      one('float', [null, null]),
    ],
    ['too few values', { inputs: [{ ...input, data: [1] }] }, /does not have the shape/],
    [
      'ragged rows',
      { inputs: [{ ...input, shape: [2, 2], data: [[1, 2], [3]] }] },
      /does not have the shape/,
      one('float', [null, null]),
    ],
    ['data that is no array', { inputs: [{ ...input, data: 'AAAA' }] }, /must be an array/],
    ['no data', { inputs: [{ ...input, data: undefined }] }, /must be an array/],
    ['a text among numbers', { inputs: [{ ...input, data: [1, 'x'] }] }, /no FP32/],
    ['a number beyond the type', { inputs: [{ ...input, data: [1, 1e39] }] }, /no FP32/],
    [
      'a fraction for a whole number',
      { inputs: [{ ...input, datatype: 'INT8', data: [1, 1.5] }] },
      /no INT8/,
      one('int8'),
    ],
    [
      '128 for INT8',
      { inputs: [{ ...input, datatype: 'INT8', data: [1, 128] }] },
      /no INT8/,
      one('int8'),
    ],
    [
      'a fraction for INT64',
      { inputs: [{ ...input, datatype: 'INT64', data: [1, 0.5] }] },
      /no INT64/,
      one('int64'),
    ],
    [
      '1 for BOOL',
      { inputs: [{ ...input, datatype: 'BOOL', data: [true, 1] }] },
      /no BOOL/,
      one('bool'),
    ],
    [
      'half a character',
      { inputs: [{ ...input, datatype: 'BYTES', data: ['a', '\ud800'] }] },
      /no BYTES/,
      one('string'),
    ],
    ['an unknown output', { inputs: [input], outputs: [{ name: 'z' }] }, /no output z/],
    [
      'an output twice',
      { inputs: [input], outputs: [{ name: 'x' }, { name: 'x' }] },
      /asked for twice/,
    ],
    [
      'classification',
      { inputs: [input], outputs: [{ name: 'x', parameters: { classification: 2 } }] },
      /classification/,
    ],
    ['a sequence', { inputs: [input], parameters: { sequence_id: 7 } }, /stands alone/],
    [
      'shared memory',
      {
        inputs: [
          { name: 'x', shape: [2], datatype: 'FP32', parameters: { shared_memory_region: 'r' } },
        ],
      },
      /shared memory/,
    ],
    [
      'binary data that is not there',
      { inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 8 } }] },
      /ends before/,
    ],
    [
      'a sequence as input',
      { inputs: [input] },
      /is a sequence/,
      { ...one('float'), inputs: [{ name: 'x', kind: 'sequence', type: 'float', shape: [] }] },
    ],
    ['complex numbers', { inputs: [input] }, /complex64 cannot be served/, one('complex64')],
  ];
  test.each(cases)('%s', (_about, body, message, model = one('float')) => {
    const bytes = typeof body === 'string' ? Buffer.from(body) : jsonBody(body);
    expect(() => parseInferRequest(bytes, undefined, model)).toThrow(message);
  });

  test('whatever a field holds, in words of this program', () => {
    const whole = {
      id: '7',
      parameters: { timeout: 1 },
      inputs: [{ ...input, parameters: { binary_data_size: 8 } }],
      outputs: [{ name: 'x', parameters: { binary_data: true } }],
    };
    const paths: readonly (readonly (string | number)[])[] = [
      [],
      ['id'],
      ['parameters'],
      ['parameters', 'timeout'],
      ['inputs'],
      ...['name', 'shape', 'datatype', 'parameters'].map((key) => ['inputs', 0, key]),
      ['inputs', 0],
      ['inputs', 0, 'shape', 0],
      ['outputs'],
      ['outputs', 0],
      ['outputs', 0, 'name'],
    ];
    const hostile = [true, -1, 1.5, '', 'x'.repeat(20_000), [], {}, [[null]], Array(2000).fill(0)];
    for (const path of paths)
      for (const value of hostile) {
        const body = structuredClone<unknown>(whole);
        const last = path.at(-1);
        const holder = path
          .slice(0, -1)
          .reduce((at, key) => (at as Record<string | number, unknown>)[key], body);
        if (last !== undefined) (holder as Record<string | number, unknown>)[last] = value;
        const bytes = jsonBody(last === undefined ? value : body);
        try {
          parseInferRequest(bytes, undefined, one('float'));
        } catch (error) {
          expect(error).toMatchObject({
            code: 'invalid-input',
            message: expect.not.stringMatching(
              /Invalid|expected|received|Too (big|small)|undefined/,
            ) as string,
          });
        }
      }
  });

  test('binary data of another length, and bytes that nobody has announced', () => {
    const header = (size: number): Uint8Array =>
      jsonBody({
        inputs: [
          { name: 'x', shape: [2], datatype: 'FP32', parameters: { binary_data_size: size } },
        ],
      });
    const parse = (size: number, given: number): unknown => {
      const json = header(size);
      return parseInferRequest(
        Buffer.concat([json, Buffer.alloc(given)]),
        json.length,
        one('float'),
      );
    };
    expect(() => parse(8, 8)).not.toThrow();
    expect(() => parse(4, 4)).toThrow(/take 8/);
    expect(() => parse(8, 9)).toThrow(/longer than its tensors/);
    expect(() => parse(8, 7)).toThrow(/ends before/);
    expect(() => parseInferRequest(header(8), 9999, one('float'))).toThrow(/beyond the body/);
  });

  test('whatever the bytes are, the answer is a request or invalid-input', () => {
    const valid = Buffer.from(vectors[0]?.body ?? '', 'base64');
    const length = Number(headerOf(vectors[0]?.head ?? '', 'inference-header-content-length'));
    fc.assert(
      fc.property(
        fc.nat(valid.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(length),
        (at, flip, header) => {
          const bytes = Buffer.from(valid);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          for (const size of [length, header, undefined])
            try {
              parseInferRequest(bytes, size, echo);
            } catch (error) {
              expect(error).toMatchObject({ code: 'invalid-input' });
            }
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('datatypes are told for all types that have one', () => {
  expect(Object.keys(datatypeByType).length).toBe(14);
});

test('inputs that share a named dimension have one size of it', () => {
  const input = (name: string): TensorSpec => ({
    name,
    kind: 'tensor',
    type: 'float',
    shape: ['N', 1],
  });
  const model: ServedModel = { inputs: [input('a'), input('b')], outputs: [] };
  const ask = (a: number[], b: number[]) =>
    parseInferRequest(
      jsonBody({
        inputs: Object.entries({ a, b }).map(([name, data]) => ({
          name,
          datatype: 'FP32',
          shape: [data.length, 1],
          data,
        })),
      }),
      undefined,
      model,
    );
  expect(ask([1, 2], [3, 4]).feeds['b']?.dims).toEqual([2, 1]);
  expect(() => ask([], [1])).toThrow(
    'Inputs a and b share the dimension N, and 0 and 1 are given.',
  );
  expect(() => ask([1], [1, 2])).toThrow('1 and 2 are given');
});
