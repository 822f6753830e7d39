/** Bundles on disk for tests: folders, archives, and archives that no honest packer makes. */
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

import { ZipFile } from 'yazl';
import { generateSigningKey, signFolder } from '#domain/bundle/index.ts';
import { bytesOf, matrixModel } from './onnx-models.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export const plainFiles: Files = {
  'model.onnx': bytesOf(matrixModel()),
  'pipeline.json': JSON.stringify({
    schemaVersion: 1,
    columns: [
      { name: 'a', kind: 'numeric' },
      { name: 'b', kind: 'numeric' },
    ],
    matrix: { input: 'features', columns: ['a', 'b'] },
  }),
  'docs/notes.txt': 'read me',
};

/** The same with a threshold, and rows that a record can be compared with. */
export const scoredFiles: Files = {
  ...plainFiles,
  'pipeline.json': JSON.stringify({
    schemaVersion: 1,
    columns: [
      { name: 'a', kind: 'numeric', min: 0, max: 10 },
      { name: 'b', kind: 'numeric', min: 0, max: 10 },
    ],
    matrix: { input: 'features', columns: ['a', 'b'] },
    prediction: { output: 'score', threshold: 30 },
  }),
  'reference.csv': `a,b\n${Array.from({ length: 120 }, (_, row) => `${row % 11},${(row * 7) % 10}`).join('\n')}\n`,
};

export function writeFolder(dir: string, files: Files = plainFiles): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return dir;
}

export const signingKey = generateSigningKey();
export const trusted = {
  keyId: signingKey.keyId,
  name: 'Model maker',
  kind: 'key',
  pem: signingKey.publicPem,
} as const;

export async function signedFolder(dir: string, files: Files = plainFiles): Promise<string> {
  writeFolder(dir, files);
  await signFolder(dir, { privatePem: signingKey.privatePem });
  return dir;
}

/** Header may say what honest tools would not. */
/** The plain files and their signature, made in a new folder. */
export async function signedFiles(folder: string): Promise<Files> {
  const dir = await signedFolder(folder);
  const names = [...Object.keys(plainFiles), 'model.sig'];
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name))]));
}

export async function writeTar(
  path: string,
  entries: readonly (Partial<Header> & {
    readonly name: string;
    readonly content?: string | Uint8Array;
  })[],
  gzip = false,
): Promise<string> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, Buffer.from(content ?? ''));
  tar.finalize();
  const steps = gzip
    ? [tar, createGzip(), createWriteStream(path)]
    : [tar, createWriteStream(path)];
  await pipeline(steps as unknown as [NodeJS.ReadableStream, NodeJS.WritableStream]);
  return path;
}

export async function writeZip(
  path: string,
  entries: readonly {
    readonly name: string;
    readonly content: string | Uint8Array;
    readonly mode?: number;
  }[],
  options: { readonly compress?: boolean } = {},
): Promise<string> {
  const zip = new ZipFile();
  for (const { name, content, mode } of entries)
    zip.addBuffer(Buffer.from(content), name, {
      ...options,
      ...(mode === undefined ? {} : { mode }),
    });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

export function tarEntries(files: Files): { name: string; content: string | Uint8Array }[] {
  return Object.entries(files).map(([name, content]) => ({ name, content }));
}

export function zipEntries(files: Files): { name: string; content: string | Uint8Array }[] {
  return Object.entries(files).map(([name, content]) => ({ name, content }));
}

/** Garbage of the same length in the place of each content, below all checksums of the archive. */
export function garble(path: string, contents: readonly (string | Uint8Array)[]): void {
  const isGzip = path.endsWith('.gz');
  const bytes = isGzip ? gunzipSync(readFileSync(path)) : readFileSync(path);
  for (const content of contents) {
    const at = bytes.indexOf(content);
    if (at < 0) throw new Error(`${path} does not hold the content as it is.`);
    bytes.fill('?', at, at + content.length);
  }
  writeFileSync(path, isGzip ? gzipSync(bytes) : bytes);
}
