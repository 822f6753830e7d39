import {
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { plainFiles } from '../../../support/bundles.ts';
import {
  addBlob,
  addManifest,
  compressed,
  emptyLayout,
  modelKit,
  modelKitLayout,
  modelPack,
  modelPackLayout,
  setIndex,
  withLayers,
  tarOf,
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

describe('hostile image layouts', () => {
  const cases: readonly [string, string, () => LayoutFiles | Promise<LayoutFiles>][] = [
    [
      'a layer with other content',
      'SR-OCI-001',
      () => {
        const layout = modelPackLayout({ 'model.onnx': model });
        const [path = ''] = [...layout].find(([, bytes]) => Buffer.from(model).equals(bytes)) ?? [];
        const bytes = Buffer.from(layout.get(path) ?? '');
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        return layout.set(path, bytes);
      },
    ],
    [
      'a layer that is longer than said',
      'SR-OCI-001',
      () =>
        withLayers((layout) => [{ ...addBlob(layout, raw, model, at('model.onnx')), size: 10 }]),
    ],
    [
      'a layer that is shorter than said',
      'SR-OCI-001',
      () =>
        withLayers((layout) => [
          { ...addBlob(layout, raw, model, at('model.onnx')), size: 1_000_000 },
        ]),
    ],
    [
      'a packed layer with other content',
      'SR-OCI-001',
      async () => {
        const layout = await modelKitLayout(plainFiles, 'tar');
        const [path = '', bytes] =
          [...layout].find(([, content]) => Buffer.from(content).includes('read me')) ?? [];
        return layout.set(
          path,
          Buffer.from(
            Buffer.from(bytes ?? '')
              .toString('latin1')
              .replace('read me', 'red mee'),
            'latin1',
          ),
        );
      },
    ],
    [
      'a manifest with other content',
      'SR-OCI-001',
      () => {
        const layout = modelPackLayout({ 'model.onnx': model });
        const [path = '', bytes] =
          [...layout].find(([, content]) => Buffer.from(content).includes('"layers":[')) ?? [];
        return layout.set(
          path,
          Buffer.from(
            Buffer.from(bytes ?? '')
              .toString()
              .replace('model.onnx', 'model.ONNX'),
          ),
        );
      },
    ],
    [
      'a missing layer',
      'SR-OCI-002',
      () => {
        const layout = modelPackLayout({ 'model.onnx': model, 'notes.txt': 'x' });
        const [path = ''] = [...layout].find(([, bytes]) => bytes.length === 1) ?? [];
        layout.delete(path);
        return layout;
      },
    ],
    [
      'a missing manifest',
      'SR-OCI-002',
      () => {
        const layout = emptyLayout();
        const gone = addManifest(layout, 'modelpack', { config, layers: [] });
        layout.delete(`blobs/${gone.digest.replace(':', '/')}`);
        setIndex(layout, [gone]);
        return layout;
      },
    ],
    [
      'a digest that is a path',
      'SR-OCI-003',
      () => {
        const layout = emptyLayout();
        setIndex(layout, [
          {
            ...addManifest(layout, 'modelpack', { config, layers: [] }),
            digest: 'sha256:../../index.json',
          },
        ]);
        return layout;
      },
    ],
    [
      'indexes without end',
      'SR-OCI-003',
      () => {
        const layout = emptyLayout();
        let inner = addBlob(
          layout,
          'application/vnd.oci.image.index.v1+json',
          '{"schemaVersion":2,"manifests":[]}',
        );
        for (let depth = 0; depth < 50; depth += 1)
          inner = addBlob(
            layout,
            inner.mediaType,
            JSON.stringify({ schemaVersion: 2, manifests: [inner] }),
          );
        setIndex(layout, [inner]);
        return layout;
      },
    ],
    [
      'an index that names itself',
      'SR-OCI-001',
      () => {
        const layout = emptyLayout();
        const digest = `sha256:${'0'.repeat(64)}`;
        const self = { mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 200 };
        layout.set(
          `blobs/sha256/${'0'.repeat(64)}`,
          Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [self] }).padEnd(200)),
        );
        setIndex(layout, [self]);
        return layout;
      },
    ],
    ['no model at all', 'SR-OCI-003', emptyLayout],
    [
      'several models',
      'SR-OCI-004',
      () => {
        const layout = emptyLayout();
        const layers = [addBlob(layout, raw, model, at('model.onnx'))];
        setIndex(
          layout,
          ['a', 'b'].map((tag) =>
            addManifest(layout, 'modelpack', { config: { tag }, layers, tag }),
          ),
        );
        return layout;
      },
    ],
    [
      'a layer whose annotation leads out',
      'SR-PATH-001',
      () => withLayers((layout) => [addBlob(layout, raw, model, at('../../model.onnx'))]),
    ],
    [
      'a layer whose annotation is absolute',
      'SR-PATH-001',
      () => withLayers((layout) => [addBlob(layout, raw, model, at('/etc/model.onnx'))]),
    ],
    [
      'a layer without a name',
      'SR-OCI-003',
      () => withLayers((layout) => [addBlob(layout, raw, model)]),
    ],
    [
      'a layer of an unknown type',
      'SR-OCI-003',
      () =>
        withLayers((layout) => [
          addBlob(layout, 'application/vnd.oci.image.layer.v1.tar+br', model),
        ]),
    ],
    [
      'two layers that write one file',
      'SR-PATH-003',
      () =>
        withLayers((layout) => [
          addBlob(layout, raw, model, at('model.onnx')),
          addBlob(layout, raw, 'other', at('MODEL.onnx')),
        ]),
    ],
    [
      'a layer with a link',
      'SR-PATH-002',
      async () => {
        const tar = await tarOf([{ name: 'model.onnx', type: 'symlink', linkname: '/etc/passwd' }]);
        return withLayers(
          (layout) => [addBlob(layout, modelKit.layer('model', 'tar'), tar)],
          'modelkit',
        );
      },
    ],
    [
      'a layer whose tar leads out',
      'SR-PATH-001',
      async () => {
        const tar = await tarOf([{ name: '../model.onnx', content: model }]);
        return withLayers(
          (layout) => [
            addBlob(layout, modelKit.layer('model', 'tar+gzip'), compressed(tar, 'tar+gzip')),
          ],
          'modelkit',
        );
      },
    ],
    [
      'a layer that is a bomb',
      'SR-LIMIT-001',
      async () => {
        const tar = await tarOf([{ name: 'model.onnx', content: Buffer.alloc(40_000_000) }]);
        return withLayers(
          (layout) => [
            addBlob(layout, modelKit.layer('model', 'tar+zstd'), compressed(tar, 'tar+zstd')),
          ],
          'modelkit',
        );
      },
    ],
    [
      'more layers than a bundle may have files',
      'SR-LIMIT-001',
      () =>
        withLayers((layout) => {
          const { mediaType, digest, size } = addBlob(layout, raw, 'x');
          return Array.from({ length: 10_001 }, () => ({ mediaType, digest, size }));
        }),
    ],
    [
      'an index of 100 MB',
      'SR-LIMIT-001',
      () => emptyLayout().set('index.json', Buffer.alloc(100_000_000, ' ')),
    ],
    [
      'layers larger than the bound',
      'SR-LIMIT-001',
      () =>
        withLayers((layout) => [
          { ...addBlob(layout, raw, model, at('model.onnx')), size: 2 ** 46 },
        ]),
    ],
    [
      'an index that is no JSON',
      'SR-OCI-003',
      () => emptyLayout().set('index.json', Buffer.from('{"schemaVersion":2,')),
    ],
    [
      'a gzip layer with something after its end',
      'SR-OCI-001',
      async () => {
        const tar = compressed(await tarOf([{ name: 'model.onnx', content: model }]), 'tar+gzip');
        const layout = withLayers(
          (files) => [
            addBlob(
              files,
              modelKit.layer('model', 'tar+gzip'),
              Buffer.concat([tar, Buffer.alloc(3000)]),
            ),
          ],
          'modelkit',
        );
        const [path = '', bytes] = [...layout].find(([, content]) => content.length > 3000) ?? [];
        const changed = Buffer.from(bytes ?? '');
        changed[changed.length - 1] = 2;
        return layout.set(path, changed);
      },
    ],
  ];
  test.each(cases)(
    '%s is refused by %s in every form, and cannot be overridden',
    async (_what, ruleId, make) => {
      for (const result of await everyForm(await make())) {
        expect(rulesOf(result)).toContain(ruleId);
        expect(result.report).toMatchObject({ verdict: 'refuse', overridable: false });
      }
    },
  );

  test('a link in the place of a blob, or of the folder of the blobs, is not followed', async () => {
    const layout = modelPackLayout({ 'model.onnx': model });
    for (const swap of ['blobs/sha256', 'blob']) {
      const dir = writeLayout(join(temporaryFolder(), 'layout'), layout);
      const away = writeLayout(join(temporaryFolder(), 'away'), layout);
      const [path = ''] = [...layout].find(([, bytes]) => Buffer.from(model).equals(bytes)) ?? [];
      const target = swap === 'blob' ? path : swap;
      rmSync(join(dir, target), { recursive: true });
      symlinkSync(join(away, target), join(dir, target));
      expect(rulesOf(await pass(dir))).toContain('SR-PATH-002');
    }
  });

  test('a tar of a layout that is cut off is never accepted', async () => {
    const path = join(temporaryFolder(), 'layout.tar');
    await writeLayoutTar(path, modelPackLayout(plainFiles));
    const whole = readFileSync(path);
    for (const share of [0.1, 0.5, 0.8]) {
      writeFileSync(path, whole);
      truncateSync(path, Math.floor(whole.length * share));
      expect(rulesOf(await pass(path))).toEqual(['SR-BUNDLE-006']);
    }
  });

  describe('any one byte', () => {
    let whole: Buffer;
    let clean: string;
    beforeAll(async () => {
      const dir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
      const path = await writeLayoutTar(
        join(dir, 'layout.tar'),
        modelPackLayout({ 'model.onnx': model, 'notes.txt': 'read me' }),
      );
      whole = readFileSync(path);
      clean = (await pass(path)).report.manifestDigest;
      rmSync(dir, { recursive: true });
    });
    test('that changes in a tar of a layout never changes a file', async () => {
      const path = join(temporaryFolder(), 'layout.tar');
      await fc.assert(
        fc.asyncProperty(
          fc.nat(whole.length - 1),
          fc.integer({ min: 1, max: 255 }),
          async (offset, change) => {
            const bytes = Buffer.from(whole);
            bytes[offset] = (bytes[offset] ?? 0) ^ change;
            writeFileSync(path, bytes);
            const { report } = await pass(path);
            expect(['refused', clean]).toContain(
              report.model === null ? 'refused' : report.manifestDigest,
            );
          },
        ),
        { numRuns: 150 },
      );
    });
  });
});
