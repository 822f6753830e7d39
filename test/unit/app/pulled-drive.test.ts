/** An import whose drive is pulled out in the middle, and that is started again when the drive is back. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { ImportResult } from '#shared/contract/bundles.ts';
import { onStep } from '#platform/steps.ts';
import { openPeopledApp } from '../../support/apps.ts';
import {
  garble,
  plainFiles,
  signedFolder,
  signingKey,
  writeFolder,
  writeZip,
  zipEntries,
  type Files,
} from '../../support/bundles.ts';
import { hasDrives, plugIn } from '../../support/drives.ts';
import { pass } from '../../support/gate.ts';

const held: Files = {
  'model.onnx': plainFiles['model.onnx'] ?? '',
  'pipeline.json': plainFiles['pipeline.json'] ?? '',
  'weights/a.bin': randomBytes(2_000_000),
};

async function writeFolderAt(path: string, files: Files): Promise<readonly string[]> {
  writeFolder(path, files);
  return Promise.resolve(Object.keys(held).map((name) => join(path, name)));
}

async function writeZipAt(path: string, files: Files): Promise<readonly string[]> {
  await writeZip(path, zipEntries(files), { compress: false });
  return Object.keys(held).map(() => path);
}

test.skipIf(!hasDrives).each([
  ['folder', writeFolderAt],
  ['zip', writeZipAt],
])('a %s goes on with what was read, though the drive has garbage there', async (form, write) => {
  const { app, client, dir, wait } = await openPeopledApp();
  writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
  await client.trust.add({ name: 'Model maker', file: app.admitFile(join(dir, 'maker.pem')) });
  const unsigned = { ...held, 'weights/b.bin': randomBytes(64_000_000) };
  const signed = await signedFolder(join(dir, 'made'), unsigned);
  const files = { ...unsigned, 'model.sig': readFileSync(join(signed, 'model.sig')) };
  const before = join(dir, 'before');
  const after = join(dir, 'after');
  for (const stick of [before, after]) mkdirSync(stick);
  await write(join(before, form), files);
  const places = await write(join(after, form), files);
  for (const [at, content] of Object.values(held).entries()) garble(places[at] ?? '', [content]);

  const drive = join(dir, 'drive');
  const first = plugIn(drive, before);
  const bring = (): Promise<ImportResult> =>
    wait(
      contract.bundles.import,
      client.bundles.import({ source: app.admitFile(join(drive, form)), name: 'risk' }),
    );
  const staged = (): string[] => readdirSync(join(dir, 'vault/staging'));
  // Before the fifth, which is the large one.
  onStep((name) => {
    if (name === 'import: object staged' && staged().length === 4) first.pullOut();
  });
  await expect(bring()).rejects.toMatchObject({
    code: 'io',
    details: { medium: 'unreadable' },
  });
  onStep(() => undefined);
  expect(staged()).toHaveLength(4);
  // While it is out, nothing is lost.
  await expect(bring()).rejects.toThrow();

  plugIn(drive, after);
  const result = await bring();
  expect(result).toMatchObject({
    verdict: 'accept',
    digest: (await pass(signed)).report.manifestDigest,
    reused: Object.keys(held).map((path) => ({ path, from: 'interrupted' })),
  });
  expect(staged()).toEqual([]);
});
