import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floeFileBytes, openFloeFile } from '../../../../electron/domain/floe/reader.ts';
import {
  createFloeEncryptor,
  floeHeaderBytes,
  floeSegmentOverheadBytes,
  openFloe,
} from '../../../../electron/domain/floe/floe.ts';
import { createFloeWriter, objectShape } from '../../../../electron/domain/floe/writer.ts';
import { chunksOf, temporaryFolder } from '../../../support/vaults.ts';

const vectors = new URL('../../../vectors/floe/', import.meta.url);
const zeroKey = new Uint8Array(32);
const vectorAad = Buffer.from('This is AAD');

function vector(name: string): Buffer {
  return Buffer.from(readFileSync(new URL(`${name}.txt`, vectors), 'utf8').trim(), 'hex');
}

describe('published FLOE vectors', () => {
  const names = [
    'cpp_GCM256_IV256_4K',
    'cpp_GCM256_IV256_64',
    'cpp_rotation',
    'go_GCM256_IV256_64',
    'go_rotation',
    'java_lastSegAligned',
    'java_lastSegEmpty',
  ];
  test.each(names)('%s decrypts to its plaintext', (name) => {
    const ciphertext = vector(`${name}_ct`);
    const floe = openFloe({
      key: zeroKey,
      aad: vectorAad,
      header: ciphertext.subarray(0, floeHeaderBytes),
      ...(name.includes('rotation') ? { rotationBits: 2 } : {}),
    });
    const parts: Uint8Array[] = [];
    let offset = floeHeaderBytes;
    for (let index = 0; offset < ciphertext.length; index += 1) {
      const last = ciphertext.readUInt32BE(offset) !== 0xffffffff;
      const end = last ? ciphertext.length : offset + floe.segmentBytes;
      parts.push(floe.decrypt(ciphertext.subarray(offset, end), index, last ? 'last' : 'inner'));
      offset = end;
    }
    expect(Buffer.concat(parts).toString('hex')).toBe(vector(`${name}_pt`).toString('hex'));
  });
});

/** Files of small segments in small blocks, so that a few hundred bytes go through the thread and around the lanes. */
async function write(
  plaintext: Uint8Array,
  options: { readonly segmentBytes: number; readonly chunkBytes: number },
): Promise<{ path: string; key: Uint8Array; aad: Uint8Array }> {
  const path = join(temporaryFolder(), 'object');
  const key = Buffer.alloc(32, 7);
  const aad = Buffer.from('vault and object');
  const { segmentBytes, chunkBytes } = options;
  const shape = { segmentBytes, segmentsPerBlock: 3, laneCount: 3 };
  const writer = createFloeWriter({ shape });
  const source = chunksOf(plaintext, chunkBytes);
  const written = await writer.write({ path, source, key: Uint8Array.from(key), aad });
  writer.hasher.close();
  expect(written).toEqual({
    sizeBytes: plaintext.length,
    sha256: createHash('sha256').update(plaintext).digest('hex'),
  });
  return { path, key, aad };
}

const encrypted = (plaintext: Uint8Array, segmentBytes: number): ReturnType<typeof write> =>
  write(plaintext, { segmentBytes, chunkBytes: 10 });

async function readBack(
  path: string,
  input: { key: Uint8Array; aad: Uint8Array; sizeBytes: number },
): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const reader = await openFloeFile({ fd: file.fd, ...input });
  return await reader.readAll();
}

test('what goes in comes out, whole, as a stream and in ranges', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 1000 }),
      fc.integer({ min: 33, max: 90 }),
      fc.nat(),
      fc.nat(),
      async (plaintext, segmentBytes, a, b) => {
        const { path, key, aad } = await write(plaintext, { segmentBytes, chunkBytes: 7 });
        await using file = await open(path, 'r');
        expect((await file.stat()).size).toBe(floeFileBytes(plaintext.length, segmentBytes));
        const reader = await openFloeFile({ fd: file.fd, key, aad, sizeBytes: plaintext.length });
        expect(Buffer.from(await reader.readAll())).toEqual(Buffer.from(plaintext));
        const streamed: Uint8Array[] = [];
        for await (const part of reader.stream()) streamed.push(part);
        expect(Buffer.concat(streamed)).toEqual(Buffer.from(plaintext));
        const from = a % (plaintext.length + 1);
        const length = b % (plaintext.length - from + 1);
        expect(Buffer.from(await reader.readRange(from, length))).toEqual(
          Buffer.from(plaintext.subarray(from, from + length)),
        );
      },
    ),
    { numRuns: 40 },
  );
});

describe('segments of 1 MiB, as objects have them', () => {
  const full = objectShape.segmentBytes - floeSegmentOverheadBytes;
  const lengths = [
    0,
    1,
    full - 1,
    full,
    full + 1,
    2 * full - 1,
    2 * full,
    2 * full + 1,
    5 * full + 7,
  ];

  test.each(lengths)('%i bytes come back, in a file of the length that follows', async (length) => {
    const plaintext = randomBytes(length);
    const path = join(temporaryFolder(), 'object');
    const key = randomBytes(32);
    const aad = randomBytes(32);
    const writer = createFloeWriter();
    const source = chunksOf(plaintext, 700_001);
    await writer.write({ path, source, key: Uint8Array.from(key), aad });
    writer.hasher.close();
    expect(readFileSync(path).length).toBe(floeFileBytes(length));
    const back = await readBack(path, { key, aad, sizeBytes: length });
    expect(Buffer.compare(back, plaintext)).toBe(0);
  });

  test('a range is read from its own segments alone, whatever became of the others', async () => {
    const plaintext = randomBytes(6 * full + 1234);
    const path = join(temporaryFolder(), 'object');
    const key = randomBytes(32);
    const aad = randomBytes(32);
    const writer = createFloeWriter();
    const source = chunksOf(plaintext, 1_000_000);
    await writer.write({ path, source, key: Uint8Array.from(key), aad });
    writer.hasher.close();
    const good = readFileSync(path);
    const mebibyte = 2 ** 20;
    for (const offset of [
      0,
      1,
      full - 1,
      2 * full,
      3 * full + 500_000,
      plaintext.length - mebibyte,
    ]) {
      const first = Math.floor(offset / full);
      const last = Math.floor((offset + mebibyte - 1) / full);
      const needed = good.map((byte, at) => {
        const segment = Math.floor((at - floeHeaderBytes) / objectShape.segmentBytes);
        return at < floeHeaderBytes || (segment >= first && segment <= last) ? byte : byte ^ 1;
      });
      await writeFile(path, needed);
      await using file = await open(path, 'r');
      const reader = await openFloeFile({ fd: file.fd, key, aad, sizeBytes: plaintext.length });
      const range = await reader.readRange(offset, mebibyte);
      expect(Buffer.compare(range, plaintext.subarray(offset, offset + mebibyte))).toBe(0);
      await expect(reader.readAll()).rejects.toMatchObject({ code: 'corrupt' });
    }
  });
});

test('keys rotate with the segments, and the last of every epoch opens with its own', () => {
  const input = { key: Buffer.alloc(32, 3), aad: Buffer.from('aad'), rotationBits: 2 };
  const floe = createFloeEncryptor({ ...input, segmentBytes: 40 });
  const opened = openFloe({ ...input, header: floe.header });
  for (let index = 0; index < 11; index += 1) {
    const place = index === 10 ? 'last' : 'inner';
    const segment = Buffer.alloc(40);
    const length = floe.encrypt(Buffer.alloc(8, index), place, segment);
    const plain = opened.decrypt(segment.subarray(0, length), index, place);
    expect(plain).toEqual(Buffer.alloc(8, index));
  }
  expect(() => floe.encrypt(Buffer.alloc(8), 'last', Buffer.alloc(40))).toThrow(RangeError);
});

test('finds every flipped bit of a file', async () => {
  const { path, key, aad } = await encrypted(
    Buffer.from('forty-one bytes of a secret model, or so'),
    48,
  );
  const good = readFileSync(path);
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bad = Buffer.from(good);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await writeFile(path, bad);
    await expect(readBack(path, { key, aad, sizeBytes: 40 }), `bit ${bit}`).rejects.toMatchObject({
      code: 'corrupt',
    });
  }
});

test('finds every truncation, and a longer file', async () => {
  const { path, key, aad } = await encrypted(Buffer.alloc(100, 1), 48);
  const size = floeFileBytes(100, 48);
  await writeFile(path, Buffer.concat([readFileSync(path), Buffer.alloc(1)]));
  await expect(readBack(path, { key, aad, sizeBytes: 100 })).rejects.toMatchObject({
    code: 'corrupt',
  });
  for (let length = size - 1; length >= 0; length -= 1) {
    await truncate(path, length);
    await expect(readBack(path, { key, aad, sizeBytes: 100 })).rejects.toMatchObject({
      code: 'corrupt',
    });
  }
});

test('finds exchanged segments, another key, other AAD and a wrong idea of the size', async () => {
  const { path, key, aad } = await encrypted(Buffer.alloc(64, 1), 48);
  const good = readFileSync(path);
  const swapped = Buffer.concat([
    good.subarray(0, floeHeaderBytes),
    good.subarray(floeHeaderBytes + 48, floeHeaderBytes + 96),
    good.subarray(floeHeaderBytes, floeHeaderBytes + 48),
    good.subarray(floeHeaderBytes + 96),
  ]);
  await expect(
    readBack(path, { key: Buffer.alloc(32, 8), aad, sizeBytes: 64 }),
  ).rejects.toMatchObject({ code: 'corrupt' });
  await expect(
    readBack(path, { key, aad: Buffer.from('another object'), sizeBytes: 64 }),
  ).rejects.toMatchObject({ code: 'corrupt' });
  await expect(readBack(path, { key, aad, sizeBytes: 63 })).rejects.toMatchObject({
    code: 'corrupt',
  });
  await expect(readBack(path, { key, aad, sizeBytes: 48 })).rejects.toMatchObject({
    code: 'corrupt',
  });
  await writeFile(path, swapped);
  await expect(readBack(path, { key, aad, sizeBytes: 64 })).rejects.toMatchObject({
    code: 'corrupt',
  });
});
