import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTensor, tensor, tensorToData, tensorTypes } from '#domain/onnx/index.ts';

const raw = (type: string, dims: number[], bytes: readonly number[]) =>
  tensorToData({
    dims,
    dataType: tensorTypes.indexOf(type),
    rawData: Uint8Array.from(bytes),
    strings: [],
    externalData: [],
  });
const floats = (type: string, bytes: readonly number[]): number[] => [
  ...(raw(type, [bytes.length], bytes).data as Float32Array),
];

/** A field of packed varints. */
const packed = (field: number, values: readonly number[]): Uint8Array =>
  Uint8Array.from([field * 8 + 2, values.length, ...values]);

describe('values of a TensorProto', () => {
  test('8-bit floats: the largest, the smallest and what is no number, by their specifications', () => {
    expect(floats('float8e4m3fn', [0x7e, 0x08, 0x01, 0xb8, 0x7f])).toEqual([
      448,
      0.015625,
      0.001953125,
      -1,
      Number.NaN,
    ]);
    expect(floats('float8e4m3fnuz', [0x7f, 0x01, 0x40, 0x80])).toEqual([
      240,
      0.0009765625,
      1,
      Number.NaN,
    ]);
    expect(floats('float8e5m2', [0x7b, 0x01, 0x3c, 0xfc, 0x7d])).toEqual([
      57_344,
      2 ** -16,
      1,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ]);
    expect(floats('float8e5m2fnuz', [0x7f, 0x01, 0x80])).toEqual([57_344, 2 ** -17, Number.NaN]);
    expect(floats('float8e8m0', [0x7f, 0x80, 0, 0xff])).toEqual([1, 2, 2 ** -127, Number.NaN]);
  });

  test('values smaller than a byte share one, the first in its lowest bits', () => {
    const fours = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
    const bytes = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe];
    expect([...raw('float4e2m1', [16], bytes).data].map(Number)).toEqual([
      ...fours,
      ...fours.map((value) => -value),
    ]);
    expect(raw('int4', [3], [0x8f, 0x07])).toEqual({
      type: 'int8',
      dims: [3],
      data: Int8Array.of(-1, -8, 7),
    });
    expect(raw('uint4', [3], [0x8f, 0x07]).data).toEqual(Uint8Array.of(15, 8, 7));
    expect(raw('int2', [4], [0b11_10_01_00]).data).toEqual(Int8Array.of(0, 1, -2, -1));
    expect(raw('uint2', [3], [0b11_10_01_00]).data).toEqual(Uint8Array.of(0, 1, 2));
  });

  test('all 16-bit patterns, as JavaScript and the upper half of a float read them', () => {
    const view = new DataView(new ArrayBuffer(4));
    const bytes = Uint8Array.from(
      Array.from({ length: 65_536 }, (_, bits) => [bits & 255, bits >> 8]).flat(),
    );
    const half = raw('float16', [65_536], [...bytes]).data;
    const brain = raw('bfloat16', [65_536], [...bytes]).data;
    for (let bits = 0; bits < 65_536; bits += 1) {
      view.setUint16(0, bits);
      if (half[bits] !== view.getFloat16(0)) expect(half[bits]).toBeNaN();
      view.setUint32(0, bits * 65_536);
      if (brain[bits] !== view.getFloat32(0)) expect(brain[bits]).toBeNaN();
    }
  });

  test('typed fields say the same as raw bytes; 64-bit integers lose nothing', () => {
    const int4s = parseTensor(
      Uint8Array.from([
        ...packed(1, [3]),
        2 * 8,
        tensorTypes.indexOf('int4'),
        ...packed(5, [0x7f, 0x01]),
      ]),
    );
    expect(tensorToData(int4s).data).toEqual(Int8Array.of(-1, 7, 1));
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), (values) => {
        const made = tensor('t', 'int64', { dims: [values.length], data: values });
        expect([...tensorToData(made).data]).toEqual(values);
      }),
    );
  });

  test('too few values, complex ones and other files are refused', () => {
    expect(() => raw('float', [2], [0, 0, 0, 0])).toThrow(/2 values comes with 1/);
    expect(() => raw('complex64', [1], [0, 0, 0, 0, 0, 0, 0, 0])).toThrow(/complex64/);
    expect(() =>
      tensorToData({ dims: [1], dataType: 1, dataLocation: 1, strings: [], externalData: [] }),
    ).toThrow(/another file/);
  });
});
