import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../../../electron/platform/make-folder.ts';

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'strongroom-make-folder-'));
});
afterAll(() => rm(place, { recursive: true, force: true }));

test('a folder is made with the parents that are missing, and made again without an error', async () => {
  const path = join(place, 'a', 'b', 'c');
  await makeFolder(path, 0o700);
  await makeFolder(path, 0o700);
  expect((await stat(path)).isDirectory()).toBe(true);
  if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test('a file in the way is an error', async () => {
  await writeFile(join(place, 'file'), 'x');
  await expect(makeFolder(join(place, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(place, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

// Node's recursive mkdir never comes back from there.
test.runIf(process.platform === 'linux')(
  'a place where nothing can be made is an error and no endless loop',
  async () => {
    await expect(makeFolder('/proc/strongroom/backup')).rejects.toMatchObject({ code: 'ENOENT' });
  },
);
