import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import type { ColumnData } from '#domain/tables/index.ts';
import { chunk, plan, spec, stepped } from '../../../support/pipelines.ts';

/** 3 × 2 pixels: the red of each is 10 times its place, its green 100, its blue 200. */
const pixels = Uint8Array.from([0, 1, 2, 3, 4, 5].flatMap((place) => [place * 10, 100, 200]));
const picture = () => sharp(pixels, { raw: { width: 3, height: 2, channels: 3 } });
const bytes = (...values: (Uint8Array | null)[]): ColumnData => ({ kind: 'bytes', values });
const files = [
  { name: 'file', type: 'text' },
  { name: 'image', type: 'bytes' },
] as const;
const step = { step: 'image', column: 'image', as: 'x' };

/** The same 3 × 2 pixels, written by Pillow 9.4; `one` is their black and white. */
const bitmaps = {
  a24: '424d4e0000000000000036000000280000000300000002000000010018000000000018000000c40e0000c40e000000000000000000000302010605040908070000001e140a0064c8ffffff000000',
  a32: '424d4e0000000000000036000000280000000300000002000000010020000000000018000000c40e0000c40e00000000000000000000030201ff060504ff090807ff1e140aff0064c8ffffffffff',
  p8: '424d56000000000000004e000000280000000300000002000000010008000000000008000000c40e0000c40e00000600000000010000ffffff000064c8001e140a000908070006050400030201000504030002010000',
  one: '424d46000000000000003e000000280000000300000002000000010001000000000008000000c40e0000c40e0000020000000200000000000000ffffffff0000000020000000',
};
const bitmapPixels = [10, 20, 30, 200, 100, 0, 255, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const bitmapGrey = [18, 118, 255, 2, 5, 8];

function bmp(name: keyof typeof bitmaps, other?: { at: number; value: number }): Buffer {
  const bytes = Buffer.from(bitmaps[name], 'hex');
  if (other !== undefined) bytes.writeUInt32LE(other.value, other.at);
  return bytes;
}

async function tensor(
  options: object,
  image: Uint8Array | null,
  input = spec('x', 'float', ['N', null, null, null]),
) {
  const { feeds } = await stepped([{ ...step, ...options }], { image: bytes(image) }, [input]);
  return { x: feeds.tensors['x'], bad: feeds.bad };
}

describe('an image becomes a tensor', () => {
  const crop = { width: 3, height: 2 };

  test.each([
    ['png', () => picture().png()],
    ['webp', () => picture().webp({ lossless: true })],
    ['tiff', () => picture().tiff({ compression: 'lzw' })],
    ['gif', () => picture().gif()],
  ])('of %s, channels first', async (_, encode) => {
    const { x, bad } = await tensor({ crop }, await encode().toBuffer());
    expect(bad).toEqual([]);
    expect(x).toEqual({
      type: 'float',
      dims: [1, 3, 2, 3],
      data: Float32Array.of(0, 10, 20, 30, 40, 50, ...Array(6).fill(100), ...Array(6).fill(200)),
    });
  });

  test('of JPEG, near to what it was', async () => {
    const { x } = await tensor(
      { crop },
      await picture().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    );
    const expected = [0, 10, 20, 30, 40, 50, ...Array<number>(6).fill(100)];
    for (const [at, value] of expected.entries())
      expect(Math.abs(Number(x?.data[at]) - value)).toBeLessThanOrEqual(4);
  });

  test('as bytes, channels last, the other way round', async () => {
    const { x } = await tensor(
      { crop, layout: 'NHWC', color: 'bgr', type: 'uint8' },
      await picture().png().toBuffer(),
      spec('x', 'uint8', ['N', 2, 3, 3]),
    );
    expect(x).toEqual({
      type: 'uint8',
      dims: [1, 2, 3, 3],
      data: Uint8Array.from([0, 1, 2, 3, 4, 5].flatMap((place) => [200, 100, place * 10])),
    });
  });

  test('scaled, less a mean, over a deviation, for each channel', async () => {
    const { x } = await tensor(
      { crop: { width: 1, height: 1 }, scale: 0.5, mean: [5, 10, 20], sd: [1, 2, 4] },
      await picture().png().toBuffer(),
    );
    // The centre of 3 × 2 is the second pixel of the first line.
    expect(x?.data).toEqual(Float32Array.of(10 * 0.5 - 5, (50 - 10) / 2, (100 - 20) / 4));
  });

  test.each(['a24', 'a32', 'p8'] as const)('of BMP as Pillow writes it, %s', async (name) => {
    const input = (channels: number) => spec('x', 'uint8', ['N', 2, 3, channels]);
    const as = { crop, layout: 'NHWC', type: 'uint8' };
    expect((await tensor(as, bmp(name), input(3))).x?.data).toEqual(Uint8Array.from(bitmapPixels));
    // Grey is Pillow's too.
    const grey = await tensor({ ...as, color: 'grey' }, bmp(name), input(1));
    expect(grey.x?.data).toEqual(Uint8Array.from(bitmapGrey));
  });

  test('of BMP of one bit, and of lines from the top', async () => {
    const as = { crop, color: 'grey' };
    const input = spec('x', 'float', ['N', 1, 2, 3]);
    expect((await tensor(as, bmp('one'), input)).x?.data).toEqual(
      Float32Array.of(0, 0, 255, 0, 0, 0),
    );
    const fromTop = bmp('one', { at: 22, value: 2 ** 32 - 2 });
    expect((await tensor(as, fromTop, input)).x?.data).toEqual(Float32Array.of(0, 0, 0, 0, 0, 255));
  });

  test('of 16 bits, of CMYK, and of several pages the first', async () => {
    const one = async (image: Buffer, color = 'rgb') => {
      const input = spec('x', 'float', ['N', color === 'rgb' ? 3 : 1, 1, 1]);
      const { x } = await tensor({ crop: { width: 1, height: 1 }, color }, image, input);
      return [...(x?.data ?? [])];
    };
    const deep = sharp(Uint16Array.of(0x8000), { raw: { width: 1, height: 1, channels: 1 } });
    const grey16 = await deep.toColorspace('grey16').png().toBuffer();
    expect(await one(grey16)).toEqual([128, 128, 128]);
    expect(await one(grey16, 'grey')).toEqual([128]);
    const background = { r: 200, g: 100, b: 0 };
    const plain = sharp({ create: { width: 8, height: 8, channels: 3, background } });
    const cmyk = await plain.toColorspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    for (const [at, value] of (await one(cmyk)).entries())
      expect(Math.abs(Number(value) - ([200, 100, 0][at] ?? 0))).toBeLessThan(8);
    const frames = sharp(Uint8Array.of(255, 0, 0, 0, 0, 255), {
      raw: { width: 1, height: 2, channels: 3, pageHeight: 1 },
    });
    expect(await one(await frames.gif({ delay: [50, 50] }).toBuffer())).toEqual([255, 0, 0]);
  });

  test('turned as its orientation says', async () => {
    const turned = await picture().withMetadata({ orientation: 6 }).png().toBuffer();
    const { x } = await tensor({ crop: { width: 2, height: 3 } }, turned);
    expect([...(x?.data ?? [])].slice(0, 6)).toEqual([30, 0, 40, 10, 50, 20]);
  });

  test('grey, from colours and from grey', async () => {
    const grey = await sharp(Uint8Array.of(0, 128, 255), {
      raw: { width: 3, height: 1, channels: 1 },
    })
      .png()
      .toBuffer();
    const input = spec('x', 'float', ['N', 1, 1, 3]);
    const { x } = await tensor({ crop: { width: 3, height: 1 }, color: 'grey' }, grey, input);
    expect(x?.data).toEqual(Float32Array.of(0, 128, 255));
    const colour = await tensor(
      { crop: { width: 3, height: 1 } },
      grey,
      spec('x', 'float', ['N', 3, 1, 3]),
    );
    expect(colour.x?.data).toEqual(Float32Array.of(0, 128, 255, 0, 128, 255, 0, 128, 255));
  });

  test('transparent parts are black', async () => {
    const clear = await sharp(Uint8Array.of(200, 200, 200, 0), {
      raw: { width: 1, height: 1, channels: 4 },
    })
      .png()
      .toBuffer();
    const { x } = await tensor({ crop: { width: 1, height: 1 } }, clear);
    expect(x?.data).toEqual(Float32Array.of(0, 0, 0));
  });

  test('resized: the size is right for each fit, and a plain colour stays what it is', async () => {
    const plain = await sharp({
      create: { width: 50, height: 20, channels: 3, background: { r: 9, g: 99, b: 199 } },
    })
      .png()
      .toBuffer();
    for (const options of [
      { resize: { width: 8, height: 6 } },
      { resize: { width: 8, height: 6, fit: 'fill', kernel: 'lanczos3' } },
      { resize: { width: 8, height: 8, fit: 'outside' }, crop: { width: 8, height: 6 } },
    ]) {
      const { x } = await tensor(options, plain);
      expect(x?.dims).toEqual([1, 3, 6, 8]);
      expect(new Set(x?.data as Float32Array)).toEqual(new Set([9, 99, 199]));
    }
    const { x } = await tensor(
      { resize: { width: 10, height: 10, fit: 'contain', kernel: 'nearest' } },
      plain,
    );
    const red = [...(x?.data ?? [])].slice(0, 100);
    expect(red.filter((value) => value === 9)).toHaveLength(40);
    expect(red.filter((value) => value === 0)).toHaveLength(60);
  });
});

describe('what is no image of the kinds that are read', () => {
  const size = { crop: { width: 1, height: 1 } };
  const bomb = async (): Promise<Buffer> => {
    // The header of a small picture says 60,000 × 60,000, and its checksum agrees.
    const small = await picture().png().toBuffer();
    small.writeUInt32BE(60_000, 16);
    small.writeUInt32BE(60_000, 20);
    small.writeUInt32BE(crc32(small.subarray(12, 29)), 29);
    expect(await sharp(small, { limitInputPixels: false }).metadata()).toMatchObject({
      width: 60_000,
      height: 60_000,
    });
    return small;
  };
  test.each([
    ['nothing', () => Promise.resolve(Buffer.alloc(0))],
    ['noise', () => Promise.resolve(Buffer.from('not an image at all, only text'))],
    [
      'a drawing',
      () =>
        Promise.resolve(
          Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
        ),
    ],
    [
      'a HEIC',
      () => Promise.resolve(Buffer.from('0000001866747970686569630000000068656963', 'hex')),
    ],
    ['a packed BMP', () => Promise.resolve(bmp('one', { at: 30, value: 1 }))],
    ['half a BMP', () => Promise.resolve(bmp('a24').subarray(0, 70))],
    [
      'a BMP whose palette ends before its colours',
      () => Promise.resolve(bmp('p8', { at: 78, value: 200 })),
    ],
    ['a BMP bomb', () => Promise.resolve(bmp('a24', { at: 18, value: 0x7fffffff }))],
    ['half a PNG', async () => (await picture().png().toBuffer()).subarray(0, 60)],
    ['an image bomb', bomb],
    [
      'an image that is smaller than the cut',
      async () =>
        sharp(pixels.subarray(0, 3), { raw: { width: 1, height: 1, channels: 3 } })
          .png()
          .toBuffer(),
    ],
  ] as const)('%s rejects its row', async (what, make) => {
    const options = what.startsWith('an image that') ? { crop: { width: 2, height: 2 } } : size;
    const { bad } = await tensor(options, Uint8Array.from(await make()));
    expect(bad).toEqual([{ at: 0, column: 'image', code: 'image' }]);
  });

  test('and only its row', async () => {
    const good = await picture().png().toBuffer();
    const { feeds } = await stepped(
      [{ ...step, ...size }],
      { image: bytes(Buffer.from('x'), good, null) },
      [spec('x', 'float', ['N', 3, 1, 1])],
    );
    expect(feeds.bad.map(({ at, code }) => [at, code])).toEqual([
      [0, 'image'],
      [2, 'missing'],
    ]);
    expect(feeds.tensors['x']).toMatchObject({
      dims: [1, 3, 1, 1],
      data: Float32Array.of(10, 100, 200),
    });
  });
});

test('a shape that the model does not take is told before anything is read', () => {
  const pipeline = pipelineSchema.parse({
    schemaVersion: 2,
    steps: [{ ...step, crop: { width: 4, height: 4 } }],
  });
  const made = (shape: (number | null)[], type = 'float') =>
    plan([spec('x', type, ['N', ...shape])], [], { pipeline, columns: files });
  expect(made([3, 4, null]).wanted).toEqual([{ name: 'image', as: 'bytes', facts: undefined }]);
  expect(() => made([3, 8, 8])).toThrow(
    'Input x: The input takes float [rows, 3, 8, 8], and the pipeline makes float [rows, 3, 4, 4].',
  );
  expect(() => made([3, 4, 4], 'uint8')).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
});

test('a fixed batch repeats its last image', async () => {
  const pipeline = pipelineSchema.parse({
    schemaVersion: 2,
    steps: [{ ...step, crop: { width: 1, height: 1 }, color: 'grey' }],
  });
  const made = plan([spec('x', 'float', [2, 1, 1, 1])], [], { pipeline, columns: files });
  const grey = await sharp(Uint8Array.of(7), { raw: { width: 1, height: 1, channels: 1 } })
    .png()
    .toBuffer();
  expect((await made.toFeeds(chunk([bytes(grey)]))).tensors['x']?.data).toEqual(
    Float32Array.of(7, 7),
  );
});
