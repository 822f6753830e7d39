/** Files that an interrupted import holds are not read from the medium again, whatever the bundle is packed in. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, generateSigningKey, signFolder, type KnownFile } from '#domain/bundle/index.ts';
import {
  garble,
  plainFiles,
  signedFolder,
  tarEntries,
  writeFolder,
  writeTar,
  writeZip,
  zipEntries,
  type Files,
} from '../../../support/bundles.ts';
import { modelPackLayout, writeLayoutTar } from '../../../support/containers/oci.ts';
import { pass } from '../../../support/gate.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const heldPaths = ['model.onnx', 'pipeline.json'];
const held = heldPaths.map((path) => Buffer.from(plainFiles[path] ?? ''));

function known(sha256: string): KnownFile<{ readonly sha256: string }> | undefined {
  const content = held.find((bytes) => hash('sha256', bytes) === sha256);
  return content === undefined
    ? undefined
    : {
        from: 'interrupted',
        sizeBytes: content.length,
        content: async function* () {
          await Promise.resolve();
          yield content;
        },
        store: digestOf,
      };
}

const below = (folder: string, files: Files): Files =>
  Object.fromEntries(
    Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]),
  );

const containers: readonly [string, string, (path: string, files: Files) => Promise<string>][] = [
  ['zip', 'a.zip', (path, files) => writeZip(path, zipEntries(files), { compress: false })],
  [
    'zip of one folder',
    'a.zip',
    (path, files) => writeZip(path, zipEntries(below('top', files)), { compress: false }),
  ],
  ['tar', 'a.tar', (path, files) => writeTar(path, tarEntries(files))],
  [
    'tar with names as of .',
    'a.tar',
    (path, files) => writeTar(path, tarEntries(below('.', files))),
  ],
  ['tar of one folder', 'a.tar', (path, files) => writeTar(path, tarEntries(below('top', files)))],
  [
    'tar.gz with its signature first',
    'a.tar.gz',
    (path, files) => writeTar(path, tarEntries(files).toReversed(), true),
  ],
];

/** The signature last, as it is made last. */
async function signed(privatePem?: string): Promise<Files> {
  const dir = await signedFolder(join(temporaryFolder(), 'bundle'));
  if (privatePem !== undefined) await signFolder(dir, { privatePem });
  return { ...plainFiles, 'model.sig': readFileSync(join(dir, 'model.sig')) };
}

const reused = heldPaths.map((path) => ({ path, from: 'interrupted' }));

describe('with garbage on the medium where held files are', () => {
  test.each(containers)('a %s is what was signed', async (_container, name, write) => {
    const path = await write(join(temporaryFolder(), name), await signed());
    const { report } = await pass(path);
    expect(report).toMatchObject({ verdict: 'accept', reused: [] });
    garble(path, held);
    const again = (await pass(path, undefined, known)).report;
    expect(again.findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(again).toMatchObject({ verdict: 'accept', manifestDigest: report.manifestDigest });
    expect(again.reused.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(reused);
  });

  test('an image layout in a tar is what was signed', async () => {
    const path = join(temporaryFolder(), 'a.tar');
    await writeLayoutTar(path, modelPackLayout(await signed()));
    const { report } = await pass(path);
    garble(path, held);
    const again = (await pass(path, undefined, known)).report;
    expect(again).toMatchObject({
      verdict: 'accept',
      manifestDigest: report.manifestDigest,
      reused,
    });
  });

  test('a tar.gz with its signature last is read, and refused', async () => {
    const path = await writeTar(
      join(temporaryFolder(), 'a.tar.gz'),
      tarEntries(await signed()),
      true,
    );
    garble(path, held);
    const { report } = await pass(path, undefined, known);
    expect(report).toMatchObject({ signature: { status: 'invalid' }, reused: [] });
  });
});

describe('held files are not looked for', () => {
  test.each(containers)('in a %s that nobody trusted has signed', async (_c, name, write) => {
    const files = await signed(generateSigningKey().privatePem);
    const { report } = await pass(
      await write(join(temporaryFolder(), name), files),
      undefined,
      known,
    );
    expect(report).toMatchObject({ signature: { status: 'untrusted' }, reused: [] });
  });

  test('for a signature that is not at the top', async () => {
    const inner = below('inner', await signed());
    const files = { 'readme.txt': 'x', ...inner };
    const zip = await writeZip(join(temporaryFolder(), 'a.zip'), zipEntries(files));
    for (const path of [zip, writeFolder(join(temporaryFolder(), 'folder'), files)])
      expect((await pass(path, undefined, known)).report).toMatchObject({
        signature: { status: 'absent' },
        reused: [],
      });
  });
});
