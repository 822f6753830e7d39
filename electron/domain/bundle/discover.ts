/** What looks like a bundle on a medium, without reading it whole: folders with a model or a signature, archives, bare models. */
import { opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { signatureFileName } from './signature.ts';

const maxDepth = 3;
const maxFolders = 2000;
const maxFound = 200;
const maxMeasured = 2000;

export interface DiscoveredBundle {
  readonly path: string;
  readonly name: string;
  readonly format: 'directory' | 'archive' | 'onnx';
  readonly sizeBytes: number | undefined;
  readonly signed: 'yes' | 'no' | 'unknown';
}

/** Hidden names, links and unreadable folders are passed over. */
export async function findBundles(root: string): Promise<DiscoveredBundle[]> {
  const found: DiscoveredBundle[] = [];
  let folders = 0;

  async function visit(folder: string, depth: number): Promise<void> {
    folders += 1;
    if (folders > maxFolders || found.length >= maxFound) return;
    const names: string[] = [];
    const inner: string[] = [];
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.name.startsWith('.')) continue;
        if (entry.isDirectory()) inner.push(entry.name);
        else if (entry.isFile()) names.push(entry.name);
      }
    } catch {
      return; // no permission, or the drive has just gone
    }
    const models = names.filter((name) => /\.onnx$/i.test(name));
    const isBundle =
      names.includes(signatureFileName) ||
      names.includes('MLmodel') ||
      names.includes('pipeline.json');
    if (isBundle && folder !== root) {
      found.push(await folderBundle(folder, names));
      return;
    }
    for (const name of names.filter((file) => /\.(zip|tar|tar\.gz|tgz)$/i.test(file)))
      found.push({ ...(await measured(folder, name)), format: 'archive', signed: 'unknown' });
    if (models.length === 1 && folder !== root && inner.length === 0 && names.length > 1) {
      found.push(await folderBundle(folder, names));
    } else {
      for (const name of models)
        found.push({ ...(await measured(folder, name)), format: 'onnx', signed: 'no' });
    }
    if (isBundle && folder === root) found.push(await folderBundle(folder, names));
    if (depth < maxDepth)
      for (const name of inner.sort()) await visit(join(folder, name), depth + 1);
  }

  await visit(root, 0);
  return found.slice(0, maxFound);
}

async function folderBundle(folder: string, names: readonly string[]): Promise<DiscoveredBundle> {
  return {
    path: folder,
    name: basename(folder),
    format: 'directory',
    sizeBytes: await folderSize(folder),
    signed: names.includes(signatureFileName) ? 'yes' : 'no',
  };
}

/** Undefined for a folder of too many files to count while somebody waits. */
async function folderSize(folder: string): Promise<number | undefined> {
  let size = 0;
  let files = 0;
  try {
    for await (const entry of await opendir(folder, { recursive: true })) {
      files += 1;
      if (files > maxMeasured) return undefined;
      if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size;
    }
    return size;
  } catch {
    return undefined; // no permission, or the drive has just gone
  }
}

async function measured(
  folder: string,
  name: string,
): Promise<{ path: string; name: string; sizeBytes: number | undefined }> {
  const path = join(folder, name);
  const sizeBytes = await stat(path).then(
    (facts) => facts.size,
    () => undefined, // gone since it was listed
  );
  return { path, name: name.replace(/\.(zip|tar|tar\.gz|tgz|onnx)$/i, ''), sizeBytes };
}
