import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderDriver } from '../../../../electron/domain/tables/folder/driver.ts';
import { folderSha256, type TableSource } from '#domain/tables/index.ts';
import { readTable } from '../../../support/read-table.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

function folderSource(
  files: Readonly<Record<string, Uint8Array | string>>,
): TableSource & { readonly folder: string } {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return { sizeBytes: 0, fd: undefined, read: () => Promise.resolve(new Uint8Array()), folder };
}

const wantedText = [
  { name: 'file', as: 'text' },
  { name: 'text', as: 'text' },
] as const;

describe('a folder', () => {
  test('of texts is one row per file, by name, and what is no text in a plain file is a bad row', async () => {
    const source = folderSource({
      'b.txt': 'second',
      'B.txt': 'first',
      'c.txt': Buffer.from([0xff, 0x41]),
      'd.txt': 'x'.repeat(2_000_000),
      'e.txt': '',
      '.DS_Store': 'left out',
    });
    mkdirSync(join(source.folder, 'f'));
    symlinkSync('/etc/hostname', join(source.folder, 'g.txt'));
    execFileSync('mkfifo', [join(source.folder, 'h.txt')]);
    writeFileSync(Buffer.concat([Buffer.from(join(source.folder, 'i')), Buffer.from([0xff])]), 'x');
    const { info, columns, bad, raw, sha256 } = await readTable(folderDriver, source, wantedText);
    expect(info.format).toBe('texts');
    // Whoever verifies a receipt has no reader.
    expect(await folderSha256(source.folder)).toBe(sha256);
    expect(raw.map(([name]) => name)).toEqual([
      'B.txt',
      'b.txt',
      'c.txt',
      'd.txt',
      'e.txt',
      'f',
      'g.txt',
      'h.txt',
      'i\uFFFD',
    ]);
    expect(columns['text']?.slice(0, 2)).toEqual(['first', 'second']);
    expect(columns['text']?.[4]).toBe(null);
    expect(bad).toEqual([
      { row: 3, column: null, code: 'encoding' },
      { row: 4, column: null, code: 'length' },
      { row: 6, column: null, code: 'file' },
      { row: 7, column: null, code: 'file' },
      { row: 8, column: null, code: 'file' },
      { row: 9, column: null, code: 'encoding' },
    ]);
  });

  test('of images gives their bytes, and has the digest that sha256sum gives of it', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 150 }, (_, at) => [
        `${String(at).padStart(3, '0')}.png`,
        Buffer.concat([png, Buffer.from([at])]),
      ]),
    );
    const source = folderSource({ ...files, 'with \\ and \n.png': png });
    const { info, segments, rows, columns, sha256 } = await readTable(
      folderDriver,
      source,
      [{ name: 'image', as: 'bytes' }],
      { rows: 50 },
    );
    expect(info).toMatchObject({
      format: 'images',
      columns: [{ name: 'file' }, { name: 'image', type: 'bytes' }],
    });
    expect(segments.map(({ rows: count }) => count)).toEqual([64, 64, 23]);
    expect(rows).toBe(151);
    expect(columns['image']?.[3]).toBe(Buffer.concat([png, Buffer.from([3])]).toString());
    const lines = execFileSync('sh', ['-c', 'LC_ALL=C; export LC_ALL; sha256sum -- *'], {
      cwd: source.folder,
    });
    expect(sha256).toBe(hash('sha256', lines));
  });

  test('that changes while it is read is noticed', async () => {
    const source = folderSource({ 'a.txt': 'one', 'b.txt': 'two' });
    const info = await folderDriver.describe(source, {});
    const [segment] = await Array.fromAsync(folderDriver.split(source, info));
    const reader = await folderDriver.open(source, info, {
      wanted: wantedText,
      rows: 10,
      raw: false,
    });
    const read = () =>
      Array.fromAsync(
        reader.read(
          segment ?? { index: 0, firstRow: 1, rows: 0, from: 0, to: 0, sha256: undefined },
        ),
      );
    expect((await read())[0]?.rows).toBe(2);
    for (const change of [
      () => writeFileSync(join(source.folder, 'b.txt'), 'owt'),
      () => writeFileSync(join(source.folder, 'b.txt'), 'three'),
      () => execFileSync('ln', ['-sf', '/etc/hostname', join(source.folder, 'b.txt')]),
      () => execFileSync('rm', [join(source.folder, 'b.txt')]),
    ]) {
      change();
      await expect(read()).rejects.toMatchObject({ code: 'io' });
    }
  });

  test.each([
    ['no files', {}, /no files/],
    [
      'binary files that are no images',
      { a: Buffer.alloc(10), b: Buffer.from('PK\u0003\u0004\0\0') },
      /neither images/,
    ],
  ])('with %s is refused', async (_what, files, message) => {
    await expect(readTable(folderDriver, folderSource(files))).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(message) as unknown,
    });
  });
});
