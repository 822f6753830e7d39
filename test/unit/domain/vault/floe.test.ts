import { readFileSync } from 'node:fs';
import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  floeFileBytes,
  openFloeFile,
  writeFloeFile,
} from '../../../../electron/domain/vault/floe-file.ts';
import { floeHeaderBytes, openFloe } from '../../../../electron/domain/vault/floe.ts';
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

async function encrypted(
  plaintext: Uint8Array,
  segmentBytes: number,
): Promise<{ path: string; key: Uint8Array; aad: Uint8Array }> {
  const path = join(temporaryFolder(), 'object');
  const key = Buffer.alloc(32, 7);
  const aad = Buffer.from('vault and object');
  await using file = await open(path, 'wx');
  const written = await writeFloeFile({
    file,
    source: chunksOf(plaintext, 10),
    key,
    aad,
    segmentBytes,
  });
  expect(written.sizeBytes).toBe(plaintext.length);
  return { path, key, aad };
}

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
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 33, max: 90 }),
      fc.nat(),
      fc.nat(),
      async (plaintext, segmentBytes, a, b) => {
        const path = join(temporaryFolder(), 'object');
        const key = Buffer.alloc(32, 7);
        const aad = Buffer.from('aad');
        await using file = await open(path, 'wx+');
        await writeFloeFile({ file, source: chunksOf(plaintext, 7), key, aad, segmentBytes });
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
    { numRuns: 60 },
  );
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
