import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorData } from '#domain/onnx/index.ts';
import { createFrameReader } from '../../../../electron/domain/inference/frame-reader.ts';
import {
  BadFrame,
  encodeFrame,
  readFrame,
  writeFrame,
  type Frame,
} from '../../../../electron/domain/inference/frames.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const flat = fc.array(fc.nat(3), { maxLength: 4 });
const sized = <T>(make: (count: number) => fc.Arbitrary<T>, type: string) =>
  flat.chain((dims) =>
    make(dims.reduce((product, size) => product * size, 1)).map(
      (data) => ({ type, dims, data }) as unknown as TensorData,
    ),
  );
const exactly = (count: number) => ({ minLength: count, maxLength: count });
const tensor = fc.oneof(
  sized((count) => fc.float32Array(exactly(count)), 'float'),
  sized((count) => fc.float64Array(exactly(count)), 'double'),
  sized((count) => fc.int16Array(exactly(count)), 'int16'),
  sized((count) => fc.bigInt64Array(exactly(count)), 'int64'),
  sized((count) => fc.uint8Array({ ...exactly(count), max: 1 }), 'bool'),
  sized((count) => fc.array(fc.string({ unit: 'grapheme' }), exactly(count)), 'string'),
);
const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', ''));
const frame: fc.Arbitrary<Frame> = fc.record({
  body: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  tensors: fc
    .array(fc.tuple(name, tensor), { maxLength: 5 })
    .map((list) => Object.fromEntries(list)),
});

const bytesOf = (value: Frame): Buffer => Buffer.concat(encodeFrame(value));
function readAll(bytes: Uint8Array, step: number): (Frame | undefined)[] {
  const reader = createFrameReader();
  return Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) =>
    reader.push(bytes.subarray(at * step, (at + 1) * step)),
  );
}

describe('a frame', () => {
  test('comes out as it went in, however the pipe cuts it', () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 1, max: 200 }), (value, step) => {
        const frames = readAll(bytesOf(value), step);
        expect(frames.slice(0, -1).every((found) => found === undefined)).toBe(true);
        expect(frames.at(-1)).toEqual(value);
      }),
    );
  });

  test('is read by the side that blocks, too, and the end of the pipe is no frame', () => {
    const path = join(temporaryFolder(), 'pipe');
    fc.assert(
      fc.property(frame, frame, (first, second) => {
        const output = openSync(path, 'w');
        writeFrame(output, first);
        writeFrame(output, second);
        closeSync(output);
        expect(readFileSync(path)).toEqual(Buffer.concat([bytesOf(first), bytesOf(second)]));
        const input = openSync(path, 'r');
        expect([readFrame(input), readFrame(input), readFrame(input)]).toEqual([
          first,
          second,
          undefined,
        ]);
        closeSync(input);
        writeFileSync(path, bytesOf(first).subarray(0, -1));
        const cut = openSync(path, 'r');
        expect(readFrame(cut)).toBeUndefined();
        closeSync(cut);
      }),
      { numRuns: 30 },
    );
  });

  test('of nonsense is refused, and never more than that', () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.nat(255), (value, at, byte) => {
        const bytes = bytesOf(value);
        bytes[at % bytes.length] = byte;
        try {
          readAll(bytes, bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(BadFrame);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a reader of frames', () => {
  const made = (
    header: unknown,
    payload: Uint8Array,
    claims: { header?: number; payload?: number } = {},
  ) => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32LE(claims.header ?? text.length, 0);
    prefix.writeUInt32LE(claims.payload ?? payload.length, 4);
    return Buffer.concat([prefix, text, payload]);
  };
  const one = (fields: Record<string, unknown>) => ({
    body: null,
    tensors: [{ name: 'x', type: 'float', dims: [2], bytes: 8, ...fields }],
  });
  const eight = new Uint8Array(8);

  test('takes what is well made', () => {
    expect(createFrameReader().push(made(one({}), eight))).toEqual({
      body: null,
      tensors: { x: { type: 'float', dims: [2], data: new Float32Array(2) } },
    });
  });

  test.each([
    ['a header that is no JSON', made('{', eight)],
    ['a header of another shape', made({ tensors: [], more: 1 }, eight)],
    ['a header of 4 GiB', made(one({}), eight, { header: 2 ** 32 - 1 })],
    ['a payload of 4 GiB', made(one({}), eight, { payload: 2 ** 32 - 1 })],
    ['a tensor of no type', made(one({ type: 'constructor' }), eight)],
    ['a tensor larger than its shape', made(one({ dims: [1] }), eight)],
    ['a tensor smaller than its shape', made(one({ dims: [2 ** 40, 2 ** 40] }), eight)],
    ['a negative dimension', made(one({ dims: [-2] }), eight)],
    ['a tensor beyond the payload', made(one({ dims: [4], bytes: 16 }), eight)],
    ['a payload beyond the tensors', made({ body: 0, tensors: [] }, eight)],
    ['more strings than the shape says', made(one({ type: 'string', dims: [1] }), eight)],
    ['fewer strings than the shape says', made(one({ type: 'string', dims: [3] }), eight)],
    [
      'a string beyond the tensor',
      made(one({ type: 'string', dims: [1] }), Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)),
    ],
    [
      'a second frame that nobody asked for',
      Buffer.concat([made(one({}), eight), made(one({}), eight)]),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(() => createFrameReader().push(bytes)).toThrow(BadFrame);
  });

  test('refuses to write what is too large', () => {
    const data = new Uint8Array(2 ** 28 + 1);
    expect(() =>
      encodeFrame({ body: null, tensors: { x: { type: 'uint8', dims: [data.length], data } } }),
    ).toThrow(expect.objectContaining({ code: 'limit' }) as Error);
  });
});
