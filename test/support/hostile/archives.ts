/** Hostile folders and archives, around models that may be good. */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  plainFiles,
  signedFolder,
  tarEntries,
  writeFolder,
  writeTar,
  writeZip,
  zipEntries,
} from '../bundles.ts';
import { bytesOf, matrixModel } from '../onnx-models.ts';
import { folderCase, type HostileCase } from './case.ts';

type TarEntries = Parameters<typeof writeTar>[1];
type ZipEntries = Parameters<typeof writeZip>[1];

const good = bytesOf(matrixModel());
const tarCase = (name: string, expected: string, entries: () => TarEntries): HostileCase => ({
  name: `tar: ${name}`,
  expected,
  make: (folder) =>
    writeTar(join(folder, 'x.tar'), [{ name: 'model.onnx', content: good }, ...entries()]),
});
const zipCase = (name: string, expected: string, entries: () => ZipEntries): HostileCase => ({
  name: `zip: ${name}`,
  expected,
  make: (folder) =>
    writeZip(join(folder, 'x.zip'), [{ name: 'model.onnx', content: good }, ...entries()]),
});

/** A ZIP archive whose bytes were changed after it was packed. */
const patchedZip = (
  name: string,
  expected: string,
  entries: ZipEntries,
  patch: (bytes: Buffer) => void,
): HostileCase => ({
  name: `zip: ${name}`,
  expected,
  async make(folder) {
    const path = await writeZip(join(folder, 'x.zip'), entries);
    const bytes = readFileSync(path);
    patch(bytes);
    writeFileSync(path, bytes);
    return path;
  },
});

const cutCase = (extension: string, expected: string, share: number): HostileCase => ({
  name: `${extension} of which ${share * 100} % are there`,
  expected,
  async make(folder) {
    const path = join(folder, `x${extension}`);
    const content = {
      'model.onnx': good,
      'noise.bin': Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251)),
    };
    if (extension === '.zip') await writeZip(path, zipEntries(content));
    else await writeTar(path, tarEntries(content), extension === '.tar.gz');
    truncateSync(path, Math.floor(readFileSync(path).length * share));
    return path;
  },
});

/** Everywhere, in local headers and in the directory; of the same length. */
const rename =
  (from: string, to: string) =>
  (bytes: Buffer): void => {
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1))
      bytes.write(to, at, 'latin1');
  };

/** Central directory file headers (APPNOTE.TXT §4.3.12). */
function* directoryHeaders(bytes: Buffer): Generator<number> {
  const mark = Buffer.from('PK\u0001\u0002', 'latin1');
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) yield at;
}

const links = (name: string, expected: string, act: (folder: string) => void): HostileCase => ({
  name: `folder: ${name}`,
  expected,
  make(folder) {
    const bundle = writeFolder(join(folder, 'bundle'));
    act(bundle);
    return bundle;
  },
});

export const archiveCases: readonly HostileCase[] = [
  tarCase('a path above the bundle', 'SR-PATH-001', () => [
    { name: '../escape.txt', content: 'x' },
  ]),
  tarCase('a path above the bundle, later', 'SR-PATH-001', () => [
    { name: 'a/../../escape.txt', content: 'x' },
  ]),
  tarCase('an absolute path', 'SR-PATH-001', () => [{ name: '/etc/cron.d/x', content: 'x' }]),
  tarCase('a Windows drive', 'SR-PATH-001', () => [{ name: 'C:/x.txt', content: 'x' }]),
  tarCase('a path with backslashes', 'SR-PATH-001', () => [
    { name: '..\\..\\x.txt', content: 'x' },
  ]),
  tarCase('a name that steers the terminal', 'SR-PATH-001', () => [
    { name: 'a\u001b[2J.txt', content: 'x' },
  ]),
  tarCase('a name that runs backwards', 'SR-PATH-001', () => [
    { name: 'notes\u202etxt.exe', content: 'x' },
  ]),
  tarCase('a name with a mark of no width', 'SR-PATH-001', () => [
    { name: 'model\u200b.onnx', content: 'x' },
  ]),
  tarCase('a symbolic link', 'SR-PATH-002', () => [
    { name: 'w.bin', type: 'symlink', linkname: '/etc/passwd' },
  ]),
  tarCase('a hard link', 'SR-PATH-002', () => [
    { name: 'w.bin', type: 'link', linkname: '/etc/passwd' },
  ]),
  tarCase('a device', 'SR-PATH-002', () => [{ name: 'w.bin', type: 'character-device' }]),
  tarCase('a pipe', 'SR-PATH-002', () => [{ name: 'w.bin', type: 'fifo' }]),
  tarCase('the same name twice', 'SR-PATH-003', () => [{ name: 'model.onnx', content: 'other' }]),
  tarCase('twins of case', 'SR-PATH-003', () => [{ name: 'MODEL.onnx', content: 'other' }]),
  tarCase('twins of Unicode form', 'SR-PATH-003', () => [
    { name: 'caf\u00e9.txt', content: 'x' },
    { name: 'cafe\u0301.txt', content: 'y' },
  ]),
  tarCase('a file that is a folder too', 'SR-PATH-003', () => [
    { name: 'a', content: 'x' },
    { name: 'a/b', content: 'y' },
  ]),
  tarCase('more files than the gate takes', 'SR-LIMIT-001', () =>
    Array.from({ length: 10_001 }, (_, at) => ({ name: `f${at}`, content: '' })),
  ),
  tarCase('more models than the gate takes', 'SR-LIMIT-001', () =>
    Array.from({ length: 64 }, (_, at) => ({ name: `m${at}.onnx`, content: '' })),
  ),
  tarCase('a path 40 folders deep', 'SR-LIMIT-001', () => [
    { name: `${'a/'.repeat(40)}b`, content: 'x' },
  ]),
  tarCase('a name of 300 bytes', 'SR-LIMIT-001', () => [{ name: 'n'.repeat(300), content: 'x' }]),
  zipCase('a symbolic link', 'SR-PATH-002', () => [
    { name: 'w.bin', content: '/etc/passwd', mode: 0o120777 },
  ]),
  zipCase('twins of case', 'SR-PATH-003', () => [{ name: 'Model.ONNX', content: 'other' }]),
  zipCase('a bomb', 'SR-LIMIT-001', () => [{ name: 'zeros', content: Buffer.alloc(40_000_000) }]),
  zipCase('a bomb in many parts', 'SR-LIMIT-001', () =>
    Array.from({ length: 8 }, (_, at) => ({
      name: `zeros-${at}`,
      content: Buffer.alloc(4_000_000),
    })),
  ),
  zipCase('a script, a program and a pickle beside the model', 'SR-BUNDLE-003', () => [
    { name: 'run.sh', content: '#!/bin/sh' },
    { name: 'lib.bin', content: '\u007fELF' },
    { name: 'x.pkl', content: '\u0080\u0004' },
  ]),
  patchedZip(
    'a path above the bundle',
    'SR-PATH-001',
    [
      { name: 'model.onnx', content: good },
      { name: 'aaaescape', content: 'x' },
    ],
    rename('aaaescape', '../escape'),
  ),
  patchedZip(
    'an absolute path',
    'SR-PATH-001',
    [
      { name: 'model.onnx', content: good },
      { name: 'aetc/x', content: 'x' },
    ],
    rename('aetc/x', '/etc/x'),
  ),
  patchedZip(
    'an encrypted entry',
    'SR-BUNDLE-005',
    [{ name: 'model.onnx', content: good }],
    (bytes) => {
      for (const at of directoryHeaders(bytes))
        bytes.writeUInt16LE(bytes.readUInt16LE(at + 8) | 1, at + 8);
    },
  ),
  patchedZip(
    'entries that share their bytes',
    'SR-LIMIT-001',
    Array.from({ length: 20 }, (_, at) => ({
      name: `zeros-${at}`,
      content: Buffer.alloc(at === 0 ? 2_000_000 : 10),
    })),
    (bytes) => {
      const [first = 0, ...rest] = directoryHeaders(bytes);
      // Checksum, sizes and place of the first one, for all.
      for (const at of rest) {
        bytes.copy(bytes, at + 16, first + 16, first + 28);
        bytes.copy(bytes, at + 42, first + 42, first + 46);
      }
    },
  ),
  patchedZip(
    'a wrong checksum',
    'SR-BUNDLE-006',
    [{ name: 'model.onnx', content: good }],
    (bytes) => {
      for (const at of directoryHeaders(bytes))
        bytes.writeUInt8(bytes.readUInt8(at + 16) ^ 1, at + 16);
    },
  ),
  patchedZip(
    'a size that lies',
    'SR-BUNDLE-006',
    [{ name: 'model.onnx', content: good }],
    (bytes) => {
      for (const at of directoryHeaders(bytes)) bytes.writeUInt32LE(5, at + 24);
    },
  ),
  {
    name: 'gzip: a bomb',
    expected: 'SR-LIMIT-001',
    make: (folder) =>
      writeTar(
        join(folder, 'x.tar.gz'),
        [{ name: 'zeros', content: Buffer.alloc(60_000_000) }],
        true,
      ),
  },
  {
    name: 'gzip: a bomb in a bomb stays closed',
    expected: 'SR-BUNDLE-001',
    make: (folder) =>
      writeTar(
        join(folder, 'x.tar.gz'),
        [{ name: 'inner.gz', content: gzipSync(gzipSync(Buffer.alloc(60_000_000))) }],
        true,
      ),
  },
  {
    name: 'zip: an archive in an archive stays closed',
    expected: 'SR-BUNDLE-001',
    async make(folder) {
      const inner = await writeZip(join(folder, 'inner.zip'), [
        { name: 'model.onnx', content: good },
      ]);
      return writeZip(join(folder, 'x.zip'), [{ name: 'inner.zip', content: readFileSync(inner) }]);
    },
  },
  {
    name: 'a model that is a gzip stream',
    expected: 'SR-BUNDLE-006',
    make(folder) {
      writeFileSync(join(folder, 'x.onnx'), gzipSync(good));
      return join(folder, 'x.onnx');
    },
  },
  {
    name: 'an archive that calls itself a model',
    expected: 'SR-BUNDLE-001',
    make: (folder) =>
      writeZip(join(folder, 'x.onnx'), [{ name: 'readme.txt', content: 'no model' }]),
  },
  ...[0.05, 0.4, 0.9].map((share) => cutCase('.zip', 'SR-BUNDLE-006', share)),
  ...[0.05, 0.4, 0.6].map((share) => cutCase('.tar', 'SR-BUNDLE-006', share)),
  ...[0.05, 0.4, 0.9].map((share) => cutCase('.tar.gz', 'SR-BUNDLE-006', share)),
  links('a symbolic link to a file', 'SR-PATH-002', (bundle) =>
    symlinkSync('/etc/passwd', join(bundle, 'w.bin')),
  ),
  links('a symbolic link to a folder', 'SR-PATH-002', (bundle) =>
    symlinkSync('/etc', join(bundle, 'data')),
  ),
  links('a symbolic link to itself', 'SR-PATH-002', (bundle) =>
    symlinkSync('loop', join(bundle, 'loop')),
  ),
  links('a hard link is read as the file that it is', 'SR-SIG-001', (bundle) => {
    mkdirSync(join(bundle, 'more'));
    linkSync(join(bundle, 'docs/notes.txt'), join(bundle, 'more/notes.txt'));
  }),
  folderCase('no model at all', 'SR-BUNDLE-001', () => ({ 'readme.txt': 'no model' })),
  folderCase('two models and no pointer', 'SR-BUNDLE-002', () => ({
    'a.onnx': good,
    'b.onnx': good,
  })),
  folderCase('a pipeline that is no JSON', 'SR-BUNDLE-004', () => ({
    ...plainFiles,
    'pipeline.json': '{"schemaVersion":1',
  })),
  folderCase('a pipeline that feeds an input that is not there', 'SR-BUNDLE-009', () => ({
    ...plainFiles,
    'pipeline.json': '{"schemaVersion":2,"inputs":{"feat\u202eures":["a","b"]}}',
  })),
  folderCase('a pipeline that reads a file that is not there', 'SR-BUNDLE-009', () => ({
    ...plainFiles,
    'pipeline.json':
      '{"schemaVersion":2,"outputs":[{"step":"labels","output":"score","file":"../labels.txt"}]}',
  })),
  folderCase('a pipeline with a step behind an output that is not there', 'SR-BUNDLE-009', () => ({
    ...plainFiles,
    'pipeline.json':
      '{"schemaVersion":2,"outputs":[{"step":"drop","outputs":["score"]},{"step":"softmax","output":"score"}]}',
  })),
  folderCase('a pipeline with a step that runs code', 'SR-BUNDLE-004', () => ({
    ...plainFiles,
    'pipeline.json': '{"schemaVersion":2,"steps":[{"step":"python","code":"import os"}]}',
  })),
  folderCase('a pipeline nested a hundred thousand deep', 'SR-BUNDLE-004', () => ({
    ...plainFiles,
    'pipeline.json': '['.repeat(100_000),
  })),
  folderCase('a model card that is no card', 'SR-BUNDLE-004', () => ({
    ...plainFiles,
    'bom.cdx.json': '{"__proto__":{"admin":true}}',
  })),
  folderCase('golden vectors with a wrong shape', 'SR-BUNDLE-004', () => ({
    ...plainFiles,
    'golden/cases.json':
      '{"schemaVersion":1,"cases":[{"inputs":{"x":{"shape":[1e9,1e9],"data":[]}}}]}',
  })),
  folderCase('no card', 'SR-CARD-001', () => plainFiles),
  folderCase('no golden vectors', 'SR-GOLDEN-001', () => plainFiles),
  folderCase('a signature that is no JSON', 'SR-SIG-003', () => ({
    ...plainFiles,
    'model.sig': 'signed, honestly',
  })),
  {
    name: 'a signature of nobody we know',
    expected: 'SR-SIG-002',
    make: (folder) => signedFolder(join(folder, 'bundle')),
  },
  {
    name: 'a file that was changed after it was signed',
    expected: 'SR-SIG-003',
    async make(folder) {
      const bundle = await signedFolder(join(folder, 'bundle'));
      writeFileSync(join(bundle, 'docs/notes.txt'), 'read me not');
      return bundle;
    },
  },
];
