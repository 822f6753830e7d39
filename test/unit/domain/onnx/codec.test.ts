import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOutlineReader, modelFactsOf, parseModel, writeModel } from '#domain/onnx/index.ts';
import { varint, type Descriptor } from '../../../../electron/domain/onnx/wire.ts';
import { encode } from '../../../../electron/domain/onnx/wire-write.ts';
import {
  bytesOf,
  columnsModel,
  endlessModel,
  matrixModel,
  zipMapModel,
} from '../../../support/onnx-models.ts';

const models = { matrixModel, columnsModel, zipMapModel, endlessModel };
/** Debian's package libonnx-testdata: the node tests of ONNX 1.12, from other exporters. */
const debianData = '/usr/share/libonnx-testdata/data';

describe('the codec', () => {
  test.each(Object.entries(models))('%s comes back byte for byte', (_name, make) => {
    const bytes = bytesOf(make());
    expect(Buffer.from(writeModel(parseModel(bytes)))).toEqual(Buffer.from(bytes));
  });

  test('numbers of 64 bits, texts and messages in messages are written with their lengths', () => {
    const inner: Descriptor = [
      { number: 1, name: 'long', type: 'long' },
      { number: 20, name: 'text', type: 'string' },
    ];
    const outer: Descriptor = [
      { number: 3, name: 'inner', type: () => inner, many: true },
      { number: 4, name: 'int', type: 'int' },
    ];
    const integer = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 127, 128, 2 ** 49, -1));
    const long = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      integer.map((value) => BigInt(value)),
    );
    const unsigned = (value: number | bigint): Uint8Array =>
      varint(BigInt.asUintN(64, BigInt(value)));
    const written = fc.record({
      inner: fc.array(fc.record({ long, text: fc.string({ unit: 'binary', maxLength: 200 }) })),
      int: integer,
    });
    fc.assert(
      fc.property(written, (message) => {
        const parts = message.inner.flatMap(({ long: value, text }) => {
          const bytes = Buffer.from(text);
          const head = [Buffer.of(8), unsigned(value), Buffer.of(0xa2, 1)];
          const content = Buffer.concat([...head, unsigned(bytes.length), bytes]);
          return [Buffer.of(26), unsigned(content.length), content];
        });
        expect(Buffer.from(encode(message, outer))).toEqual(
          Buffer.concat([...parts, Buffer.of(32), unsigned(message.int)]),
        );
      }),
    );
  });

  test('reads the same from a stream, however it is cut', () => {
    const bytes = bytesOf(columnsModel());
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (steps) => {
        const reader = createOutlineReader();
        for (let at = 0, step = 0; at < bytes.length; step += 1) {
          const length = steps[step % steps.length] ?? 1;
          reader.write(bytes.subarray(at, at + length));
          at += length;
        }
        expect(Buffer.from(writeModel(reader.end()))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 50 },
    );
  });

  test('an outline passes over weights and keeps their length', () => {
    const bytes = bytesOf(matrixModel());
    const parsed = parseModel(bytes);
    const weights = parsed.graph?.initializers[0];
    if (weights === undefined) throw new Error('The model has weights.');
    weights.rawData = new Uint8Array(1_000_000);
    const big = writeModel(parsed);
    const reader = createOutlineReader();
    for (let at = 0; at < big.length; at += 9973) reader.write(big.subarray(at, at + 9973));
    const outline = reader.end().graph?.initializers[0];
    expect(outline?.elided).toEqual({ rawData: 1_000_000 });
    expect(outline?.rawData?.length).toBe(0);
  });

  test('takes the digest of what it passes over, where it is asked to', () => {
    const parsed = parseModel(bytesOf(matrixModel()));
    const data = Buffer.alloc(300_000, 'weights');
    const floats = Array.from({ length: 70_000 }, (_, at) => at);
    const [weights] = parsed.graph?.initializers ?? [];
    const [gemm] = parsed.graph?.nodes ?? [];
    if (weights === undefined || gemm === undefined) throw new Error('The model has both.');
    weights.rawData = data;
    gemm.attributes.push({
      name: 'many',
      floats,
      ints: [],
      strings: [],
      tensors: [],
      graphs: [],
      sparseTensors: [],
    });
    const big = writeModel(parsed);
    const reader = createOutlineReader({ digests: true });
    for (let at = 0; at < big.length; at += 9973) reader.write(big.subarray(at, at + 9973));
    const outline = reader.end();
    const sha256 = (text: Uint8Array | string): string =>
      createHash('sha256').update(text).digest('hex');
    expect(outline.graph?.initializers[0]?.digests).toEqual({ rawData: sha256(data) });
    expect(outline.graph?.initializers[1]?.digests).toBeUndefined();
    const kept = 64 * 1024;
    expect(outline.graph?.nodes[0]?.attributes.at(-1)?.digests).toEqual({
      floats: sha256(
        floats
          .slice(kept)
          .map((value) => `${value},`)
          .join(''),
      ),
    });
  });

  test('every truncation and random bytes are refused with a code', () => {
    const bytes = bytesOf(columnsModel());
    for (let length = 0; length < bytes.length; length += 1) {
      try {
        // A cut between two top-level fields is a shorter message, which lacks something or is whole.
        expect(parseModel(bytes.subarray(0, length)).graph).toBeDefined();
      } catch (error) {
        expect(error).toMatchObject({ code: 'corrupt' });
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(() => parseModel(noise)).toThrow(
          expect.objectContaining({
            code: expect.stringMatching(/corrupt|unsupported|limit/) as string,
          }),
        );
      }),
    );
  });

  test.skipIf(!existsSync(debianData))(
    'reads and rewrites the models of other exporters without loss',
    () => {
      const paths = globSync(`${debianData}/**/model.onnx`);
      expect(paths.length).toBeGreaterThan(900);
      for (const path of paths) {
        const bytes = readFileSync(path);
        const rewritten = writeModel(parseModel(bytes));
        expect(rewritten.length, path).toBe(bytes.length);
        expect(modelFactsOf(parseModel(rewritten))).toEqual(modelFactsOf(parseModel(bytes)));
      }
    },
  );
});
