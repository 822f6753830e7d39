/** Archives as other packers write them, and archives that two readers would take in two ways. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  plainFiles,
  signedFolder,
  tarEntries,
  writeTar,
  writeZip,
  zipEntries,
  type Files,
} from '../../../support/bundles.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

async function signedFiles(): Promise<Files> {
  const dir = await signedFolder(temporaryFolder());
  return { ...plainFiles, 'model.sig': readFileSync(join(dir, 'model.sig')) };
}

function write(name: string, ...parts: readonly Uint8Array[]): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

async function storedZip(files: Files): Promise<Buffer> {
  const path = join(temporaryFolder(), 'a.zip');
  return readFileSync(await writeZip(path, zipEntries(files), { compress: false }));
}

async function plainTar(files: Files): Promise<Buffer> {
  return readFileSync(await writeTar(join(temporaryFolder(), 'a.tar'), tarEntries(files)));
}

const endRecord = (zip: Buffer): number => zip.lastIndexOf('PK\u0005\u0006');
const directoryStart = (zip: Buffer): number => zip.readUInt32LE(endRecord(zip) + 16);

describe('a zip', () => {
  test('whose names begin with ./ is the same bundle', async () => {
    const files = await signedFiles();
    // The packer of the tests cleans such names.
    const zip = await storedZip(
      Object.fromEntries(Object.entries(files).map(([name, content]) => [`__${name}`, content])),
    );
    const dotted = Buffer.from(zip.toString('latin1').replaceAll('__', './'), 'latin1');
    const { report } = await pass(write('a.zip', dotted));
    expect(report).toMatchObject({ verdict: 'accept', signature: { status: 'verified' } });
  });

  const contradictions: readonly [string, (zip: Buffer) => Buffer | undefined][] = [
    ['another name', (zip) => zip.fill('x', 30, 31)],
    ['another method', (zip) => zip.fill(8, 8, 9)],
    ['a password', (zip) => zip.fill(zip.readUInt8(6) | 1, 6, 7)],
    ['another checksum', (zip) => zip.fill(7, 14, 18)],
    ['another size', (zip) => zip.fill(7, 18, 19)],
  ];
  test.each(contradictions)(
    'whose first entry has %s than the directory says is refused',
    async (_what, change) => {
      const zip = await storedZip(await signedFiles());
      // Sizes and checksum follow the bytes of these entries; here they stand before them.
      const directory = directoryStart(zip);
      zip.copy(zip, 14, directory + 16, directory + 28);
      expect((await pass(write('a.zip', zip))).report.verdict).toBe('accept');
      const result = await pass(write('b.zip', change(zip) ?? zip));
      expect(rulesOf(result)).toEqual(['SR-BUNDLE-006']);
      expect(result.report.findings[0]?.message).toContain('contradict');
    },
  );

  test('with bytes that belong to no entry is refused, wherever they are', async () => {
    const zip = await storedZip(await signedFiles());
    const start = directoryStart(zip);
    const hidden = (await storedZip({ 'hidden.onnx': 'x' })).subarray(0, -60);
    const before = Buffer.from(zip);
    before.writeUInt32LE(start + hidden.length, endRecord(zip) + 16);
    const between = write('a.zip', before.subarray(0, start), hidden, before.subarray(start));
    const after = write(
      'b.zip',
      zip.subarray(0, endRecord(zip)),
      hidden,
      zip.subarray(endRecord(zip)),
    );
    const twice = write('c.zip', zip, zip);
    for (const path of [between, after, twice]) {
      const { report } = await pass(path);
      expect(report.findings).toMatchObject([
        { ruleId: 'SR-BUNDLE-006', message: expect.stringContaining('no entry') as string },
      ]);
    }
  });
});

describe('a tar in Zstandard', () => {
  const skipped = Buffer.from('502a4d1803000000616263', 'hex');

  test('may be made of many frames, and of frames that are skipped', async () => {
    const tar = await plainTar(await signedFiles());
    const cuts = [0, 1, 700, 701, 2048, tar.length];
    const frames = cuts.slice(1).map((end, at) => zstdCompressSync(tar.subarray(cuts[at], end)));
    for (const parts of [
      frames,
      [skipped, ...frames],
      [...frames, skipped],
      [frames[0] ?? skipped, skipped, ...frames.slice(1)],
    ]) {
      const { report } = await pass(write('a.tar.zst', ...parts));
      expect(report).toMatchObject({ verdict: 'accept', format: 'tar.zst' });
    }
    expect(rulesOf(await pass(write('a.tar.zst', ...frames.slice(0, 3))))).toEqual([
      'SR-BUNDLE-006',
    ]);
  });

  test('ends with its last frame', async () => {
    const packed = zstdCompressSync(await plainTar(await signedFiles()));
    for (const rest of ['garbage', '\u0028', '\u0000'])
      expect(rulesOf(await pass(write('a.tar.zst', packed, Buffer.from(rest, 'latin1'))))).toEqual([
        'SR-BUNDLE-006',
      ]);
  });

  test('of frames without end is refused', async () => {
    const empty = Buffer.concat(Array.from({ length: 10_002 }, () => skipped));
    expect(rulesOf(await pass(write('a.tar.zst', empty)))).toEqual(['SR-LIMIT-001']);
  });
});

/** POSIX pax, type g, with one record. */
function globalHeader(record: string): Buffer {
  const block = Buffer.alloc(1024);
  block.write('pax_global_header', 0);
  block.write('0000644\0', 100);
  block.write(`${record.length.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        g', 148);
  block.write('ustar\u000000', 257);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  block.write(record, 512);
  return block;
}

describe('other archives', () => {
  test('a sparse file of a tar is refused, whether it is indexed or streamed', async () => {
    for (const gzip of [false, true]) {
      const path = await writeTar(
        join(temporaryFolder(), 'a.tar'),
        [
          { name: 'model.onnx', content: plainFiles['model.onnx'] ?? '' },
          {
            name: 'GNUSparseFile.1/w.bin',
            content: '1\n0\n1\n',
            pax: { 'GNU.sparse.major': '1', 'GNU.sparse.name': 'w.bin' },
          },
        ],
        gzip,
      );
      const result = await pass(path);
      expect(rulesOf(result)).toEqual(['SR-PATH-002']);
      expect(result.report.findings[0]?.message).toContain('--sparse');
    }
  });

  test('a header for all entries that names a path is refused, whether the tar is indexed or streamed', async () => {
    for (const gzip of [false, true]) {
      const path = await writeTar(join(temporaryFolder(), 'a.tar'), tarEntries(plainFiles));
      const whole = Buffer.concat([globalHeader('24 path=other/evil.onnx\n'), readFileSync(path)]);
      writeFileSync(path, gzip ? gzipSync(whole) : whole);
      expect(rulesOf(await pass(path))).toEqual(['SR-BUNDLE-006']);
    }
  });

  test('names that differ in dots and spaces at their end would be one on Windows', async () => {
    for (const twin of ['docs/notes.txt.', 'docs/notes.txt ', 'docs./notes.txt']) {
      const path = await writeTar(join(temporaryFolder(), 'a.tar'), [
        ...tarEntries(plainFiles),
        { name: twin, content: 'x' },
      ]);
      expect(rulesOf(await pass(path))).toEqual(['SR-PATH-003']);
    }
  });
});
