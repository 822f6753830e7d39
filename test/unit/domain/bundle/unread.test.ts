import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBundle } from '#domain/bundle/containers/open.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const iso = Buffer.alloc(40_000);
iso.write('CD001', 32_769, 'latin1');

test.each([
  ['bundle.7z', Buffer.from('377abcaf271c0004', 'hex'), 'a 7-Zip archive'],
  ['bundle.rar', Buffer.from('526172211a070100', 'hex'), 'a RAR archive'],
  ['bundle.tar.xz', Buffer.from('fd377a585a000004', 'hex'), 'compressed with xz'],
  ['bundle.zip', Buffer.from('504b0708504b0304', 'hex'), 'a zip in several volumes'],
  ['bundle.tar.lz4', Buffer.from('04224d186470b9', 'hex'), 'compressed with LZ4'],
  ['bundle.tar.bz2', Buffer.from('425a68393141592653590000', 'hex'), 'compressed with bzip2'],
  ['bundle.iso', iso, 'an ISO image'],
  // The kind is told by content.
  ['model.onnx', Buffer.from('377abcaf271c0004', 'hex'), 'a 7-Zip archive'],
])('%s is said to be a container that is not read', async (name, content, kind) => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  await expect(openBundle(path)).rejects.toMatchObject({
    ruleId: 'SR-BUNDLE-007',
    message: expect.stringContaining(kind) as string,
  });
});

test('a model is not taken for an image by bytes in its middle', async () => {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, iso);
  expect((await openBundle(path)).format).toBe('onnx');
});
