/**
 * What looks like a bundle on a medium, without reading it whole: folders with a model, a signature or a layout that the gate
 * knows, archives and archives in parts, bare models.
 */
import { opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { archiveEnding } from './containers/open.ts';
import { partOf } from './containers/parts.ts';
import { signatureFileName } from './signatures/check.ts';

const maxDepth = 3;
const maxFolders = 2000;
const maxFound = 200;
const maxMeasured = 2000;

export interface DiscoveredBundle {
  readonly path: string;
  readonly name: string;
  readonly format:
    'directory' | 'archive' | 'parts' | 'onnx' | 'oci' | 'mlflow' | 'triton' | 'hugging-face';
  readonly sizeBytes: number | undefined;
  readonly signed: 'yes' | 'no' | 'unknown';
}

type FolderFormat = Exclude<DiscoveredBundle['format'], 'archive' | 'parts' | 'onnx'>;

interface Listing {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Hidden names, links and unreadable folders are passed over. */
export async function findBundles(root: string): Promise<DiscoveredBundle[]> {
  const found: DiscoveredBundle[] = [];
  let folders = 0;

  async function visit(folder: string, depth: number): Promise<void> {
    folders += 1;
    if (folders > maxFolders || found.length >= maxFound) return;
    const here = await listed(folder);
    if (here === undefined) return;
    const format = await formatOf(folder, here);
    if (format !== undefined && folder !== root) {
      found.push(await folderBundle(folder, format, here));
      return;
    }
    found.push(...(await archivesIn(folder, here.files)));
    const models = here.files.filter((name) => /\.onnx$/i.test(name));
    const isAlone = models.length === 1 && here.folders.length === 0 && here.files.length > 1;
    if (isAlone && folder !== root) found.push(await folderBundle(folder, 'directory', here));
    else
      for (const name of models)
        found.push({ ...(await measured(folder, [name])), format: 'onnx', signed: 'no' });
    if (format !== undefined) found.push(await folderBundle(folder, format, here));
    // What is in an image or a model's folders belongs to it.
    if (depth < maxDepth && (format === undefined || format === 'directory'))
      for (const name of here.folders.toSorted()) await visit(join(folder, name), depth + 1);
  }

  await visit(root, 0);
  return found.slice(0, maxFound);
}

/** What a folder is by the names in it; undefined for a folder of other things. */
async function formatOf(folder: string, here: Listing): Promise<FolderFormat | undefined> {
  const has = (name: string): boolean => here.files.includes(name);
  if (has('oci-layout') && has('index.json')) return 'oci';
  if (has('MLmodel')) return 'mlflow';
  if (has('config.pbtxt') || (await isTriton(folder, here))) return 'triton';
  if (has('config.json') && here.folders.includes('onnx')) return 'hugging-face';
  return has(signatureFileName) || has('pipeline.json') ? 'directory' : undefined;
}

/** A Triton model needs no config: folders whose names are numbers, with `model.onnx` in one. */
async function isTriton(folder: string, { folders }: Listing): Promise<boolean> {
  for (const version of folders.filter((name) => /^\d+$/.test(name)).slice(0, 20)) {
    const inside = await listed(join(folder, version));
    if (inside !== undefined && [...inside.files, ...inside.folders].includes('model.onnx'))
      return true;
  }
  return false;
}

async function archivesIn(folder: string, names: readonly string[]): Promise<DiscoveredBundle[]> {
  const found: DiscoveredBundle[] = [];
  const partsByBase = new Map<string, string[]>();
  for (const name of names.toSorted()) {
    const part = partOf(name);
    if (part !== undefined && (archiveEnding.test(part.base) || /\.onnx$/i.test(part.base)))
      partsByBase.set(part.base, [...(partsByBase.get(part.base) ?? []), name]);
    else if (archiveEnding.test(name))
      found.push({ ...(await measured(folder, [name])), format: 'archive', signed: 'unknown' });
  }
  for (const [base, parts] of partsByBase)
    found.push({
      ...(await measured(folder, parts)),
      name: withoutEnding(base),
      format: 'parts',
      signed: 'unknown',
    });
  return found;
}

async function listed(folder: string): Promise<Listing | undefined> {
  const files: string[] = [];
  const folders: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) folders.push(entry.name);
      else if (entry.isFile()) files.push(entry.name);
    }
    return { files, folders };
  } catch {
    return undefined; // no permission, or the drive has just gone
  }
}

async function folderBundle(
  folder: string,
  format: FolderFormat,
  { files }: Listing,
): Promise<DiscoveredBundle> {
  // A signature inside of an image is seen when it is read.
  const signed = format === 'oci' ? 'unknown' : files.includes(signatureFileName) ? 'yes' : 'no';
  return {
    path: folder,
    name: basename(folder),
    format,
    sizeBytes: await folderSize(folder),
    signed,
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

/** The first file stands for all of them; the size is that of all. */
async function measured(
  folder: string,
  names: readonly string[],
): Promise<{ path: string; name: string; sizeBytes: number | undefined }> {
  const [first = ''] = names;
  let sizeBytes: number | undefined = 0;
  for (const name of names) {
    const own = await stat(join(folder, name)).then(
      (facts) => facts.size,
      () => undefined, // gone since it was listed
    );
    sizeBytes = own === undefined || sizeBytes === undefined ? undefined : sizeBytes + own;
  }
  return { path: join(folder, first), name: withoutEnding(first), sizeBytes };
}

function withoutEnding(name: string): string {
  return name.replace(archiveEnding, '').replace(/\.onnx$/i, '');
}
