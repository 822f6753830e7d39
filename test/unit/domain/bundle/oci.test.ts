import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { plainFiles, signedFiles, signedFolder } from '../../../support/bundles.ts';
import {
  addBlob,
  addManifest,
  emptyLayout,
  modelKitLayout,
  modelPack,
  modelPackLayout,
  setIndex,
  writeLayout,
  writeLayoutTar,
  type LayoutFiles,
} from '../../../support/containers/oci.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const config = { config: { format: 'onnx' } };
const raw = modelPack.layer('weight', 'raw');
const at = (path: string) => ({ 'org.cncf.model.filepath': path });
const model = plainFiles['model.onnx'] ?? '';

test('an index that begins with an empty line is an index in a compressed tar too', async () => {
  const layout = modelPackLayout({ 'model.onnx': model });
  layout.set(
    'index.json',
    Buffer.concat([Buffer.from('\n'), layout.get('index.json') ?? Buffer.alloc(0)]),
  );
  const path = await writeLayoutTar(join(temporaryFolder(), 'a.tgz'), layout, 'tar+gzip');
  expect(rulesOf(await pass(path))).toEqual(['SR-SIG-001']);
});

/** The same layout as a folder, as a tar, and as a compressed tar. */
async function everyForm(layout: LayoutFiles): Promise<Awaited<ReturnType<typeof pass>>[]> {
  const out = temporaryFolder();
  const paths = [
    writeLayout(join(out, 'layout'), layout),
    await writeLayoutTar(join(out, 'layout.tar'), layout),
    await writeLayoutTar(join(out, 'layout.tar.gz'), layout, 'tar+gzip'),
  ];
  return Promise.all(paths.map((path) => pass(path)));
}

describe('image layouts', () => {
  test('a signed model has one verdict and one digest as a folder and as an image in every form', async () => {
    const files = await signedFiles(join(temporaryFolder(), 'maker'));
    const out = temporaryFolder();
    const plain = await pass(await signedFolder(join(out, 'plain')));
    const pack = modelPackLayout(files);
    const kit = await modelKitLayout(files);
    const forms = {
      modelpack: writeLayout(join(out, 'pack'), pack),
      'modelpack, tar': await writeLayoutTar(join(out, 'pack.tar'), pack),
      'modelpack, tar.gz': await writeLayoutTar(join(out, 'pack.tgz'), pack, 'tar+gzip', './'),
      'modelpack, tar.zst': await writeLayoutTar(join(out, 'p.tar.zst'), pack, 'tar+zstd', 'm/'),
      modelkit: writeLayout(join(out, 'kit'), kit),
      'modelkit, tar': await writeLayoutTar(join(out, 'kit.tar'), kit, 'tar', 'kit/'),
    };
    for (const [format, path] of Object.entries(forms)) {
      const { report } = await pass(path);
      expect(report, format).toMatchObject({
        format,
        verdict: 'accept',
        signature: { status: 'verified' },
        manifestDigest: plain.report.manifestDigest,
        model: { path: 'model.onnx' },
      });
      expect(report.declares.find(({ name }) => name === 'Name')?.value).toBe('credit-risk');
    }
  });

  test.each(['tar', 'tar+gzip', 'tar+zstd'] as const)(
    'layers packed as %s give their files',
    async (packing) => {
      for (const { report } of await everyForm(await modelKitLayout(plainFiles, packing)))
        expect(report.files.map(({ path }) => path)).toEqual([
          'docs/notes.txt',
          'model.onnx',
          'pipeline.json',
        ]);
    },
  );

  test('files with the same content are one blob and stay two files', async () => {
    const files = { 'model.onnx': model, 'a.txt': 'same', 'b.txt': 'same', 'c.txt': 'same' };
    for (const { report } of await everyForm(modelPackLayout(files)))
      expect(report.files.map(({ path }) => path)).toEqual([
        'a.txt',
        'b.txt',
        'c.txt',
        'model.onnx',
      ]);
  });

  test('a ModelKit says which of several models is meant', async () => {
    const layout = await modelKitLayout({ 'x/risk.onnx': model, 'x/other.onnx': model });
    for (const { report } of await everyForm(layout))
      expect(report.model?.path).toBe('x/risk.onnx');
  });

  test('an index within an index is followed; signatures beside the model are passed over', async () => {
    const layout = emptyLayout();
    const layers = [addBlob(layout, raw, model, at('model.onnx'))];
    const manifest = addManifest(layout, 'modelpack', { config, layers });
    const other = addBlob(
      layout,
      'application/vnd.oci.image.manifest.v1+json',
      JSON.stringify({
        schemaVersion: 2,
        config: addBlob(layout, 'application/vnd.oci.empty.v1+json', '{}'),
        layers: [],
      }),
    );
    const inner = addBlob(
      layout,
      'application/vnd.oci.image.index.v1+json',
      JSON.stringify({ schemaVersion: 2, manifests: [manifest, other, manifest] }),
    );
    setIndex(layout, [inner, other]);
    for (const result of await everyForm(layout)) {
      expect(result.report.model?.path).toBe('model.onnx');
      expect(rulesOf(result)).toEqual(['SR-SIG-001']);
    }
  });

  test('skopeo reads what the fixture writes', () => {
    const skopeo = '/usr/bin/skopeo';
    if (!existsSync(skopeo)) return;
    const dir = writeLayout(temporaryFolder(), modelPackLayout(plainFiles));
    const manifest = execFileSync(skopeo, ['inspect', '--raw', `oci:${dir}:latest`]).toString();
    expect(JSON.parse(manifest)).toMatchObject({ artifactType: modelPack.artifact });
    // It reads every blob and compares its digest.
    execFileSync(skopeo, [
      'copy',
      '--preserve-digests',
      `oci:${dir}:latest`,
      `dir:${temporaryFolder()}`,
    ]);
  });
});
