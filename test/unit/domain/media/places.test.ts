import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findBundles } from '#domain/bundle/index.ts';
import { createFileTokens, readFolder, readPlaces } from '#domain/media/index.ts';
import { signedFolder, writeTar } from '../../../support/bundles.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

test('a mounted drive is listed with its label, size and write protection, and is gone when it is', async () => {
  const drive = '/media/LAB STICK 7';
  mkdirSync(drive, { recursive: true });
  onTestFinished(() => rmSync(drive, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,ro', 'tmpfs', drive], { stdio: 'ignore' });
  } catch {
    return; // only an administrator can mount
  }
  const listed = async (): Promise<unknown> =>
    (await readPlaces(undefined)).find(({ path }) => path === drive);
  try {
    expect(await listed()).toMatchObject({
      label: 'LAB STICK 7',
      kind: 'removable',
      fileSystem: 'tmpfs',
      totalBytes: 4 * 1024 * 1024,
      readOnly: true,
    });
  } finally {
    execFileSync('umount', [drive]);
  }
  expect(await listed()).toBeUndefined();
});

test('an inbox that is a place already is listed once', async () => {
  const home = (await readPlaces(undefined)).filter(({ path }) => path === homedir());
  expect((await readPlaces(homedir())).filter(({ path }) => path === homedir())).toHaveLength(
    home.length,
  );
  expect(home).toHaveLength(1);
});

test('bundles are found as bundles, with their sizes, and not as files', async () => {
  const root = temporaryFolder();
  await signedFolder(join(root, 'lab/credit'));
  await writeTar(join(root, 'packed.tar'), [{ name: 'model.onnx', content: 'x' }]);
  writeFileSync(join(root, 'bare.onnx'), 'x');
  writeFileSync(join(root, 'notes.txt'), 'x');
  mkdirSync(join(root, '.trash/credit'), { recursive: true });
  writeFileSync(join(root, '.trash/credit/model.sig'), 'x');
  symlinkSync(root, join(root, 'loop'));
  const found = await findBundles(root);
  expect(
    found.map(({ name, format, signed }) => `${name}: ${format}, signed ${signed}`).toSorted(),
  ).toEqual([
    'bare: onnx, signed no',
    'credit: directory, signed yes',
    'packed: archive, signed unknown',
  ]);
  expect(found.every(({ sizeBytes }) => (sizeBytes ?? 0) > 0)).toBe(true);
});

test('a folder is listed folders first, without hidden and special files', async () => {
  const root = temporaryFolder();
  for (const name of ['b', 'a', '.hidden']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'A.csv'), '12345');
  execFileSync('mkfifo', [join(root, 'pipe')]);
  symlinkSync('/nonexistent', join(root, 'dangling'));
  const { entries, parent } = await readFolder(root);
  expect(entries.map(({ name, kind }) => [name, kind])).toEqual([
    ['a', 'folder'],
    ['b', 'folder'],
    ['A.csv', 'file'],
  ]);
  expect(parent).toBe(join(root, '..'));
  await expect(readFolder(join(root, 'nothing'))).rejects.toMatchObject({ code: 'io' });
});

test('tokens stand for the paths that were admitted, and for no other', () => {
  const tokens = createFileTokens();
  const token = tokens.admit('/tmp/x/../y');
  expect(tokens.admit('/tmp/y')).toBe(token);
  expect(tokens.pathOf(token)).toBe('/tmp/y');
  for (const guess of ['', '/etc/passwd', token.slice(1)])
    expect(() => tokens.pathOf(guess)).toThrow(expect.objectContaining({ code: 'not-found' }));
});
