/** A folder on the medium, or a bare file in it. Links and special files are refused without being followed. */
import { constants, lstat, open, opendir, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { contentOf } from '#platform/content.ts';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';
import { damageOf, guarded, isReadError, signaturesFirst, type Files } from './container.ts';
import { checkPath, utf8Name } from './names.ts';

/** As many folders as files, unless told otherwise; files alone are counted in every container. */
export async function* directoryFiles(root: string, mostNames = 2 * gateLimits.entries): Files {
  try {
    yield* filesBelow(root, mostNames);
  } catch (error) {
    throw isReadError(error) ? damageOf(error, basename(root)) : error;
  }
}

async function* filesBelow(root: string, mostNames: number): Files {
  const pending = [''];
  // Names are counted as they are read, so that a folder of millions fills no memory before it is refused.
  let count = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const names: string[] = [];
    for await (const { name } of await opendir(join(root, folder), {
      encoding: 'buffer' as 'utf8',
    }))
      if ((count += 1) <= mostNames) names.push(utf8Name(name as unknown as Buffer));
      else throw new GateBreach('SR-LIMIT-001', folder, `There are more than ${mostNames} names.`);
    for (const name of names.sort().sort(signaturesFirst)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      checkPath(path);
      const file = await openWithoutLinks(root, path);
      try {
        const facts = await file.stat();
        if (facts.isDirectory()) pending.push(path);
        else if (facts.isFile()) yield { path, content: guarded(contentOf(file), basename(root)) };
        else throw new GateBreach('SR-PATH-002', path, 'The entry is a special file.');
      } finally {
        await file.close();
      }
    }
  }
}

/** O_NOFOLLOW, and what was opened is what is looked at and read. */
export async function openWithoutLinks(root: string, path: string): Promise<FileHandle> {
  // Where the system cannot refuse to follow a link, it is looked for.
  const followed = (constants.O_NOFOLLOW as number | undefined) === undefined;
  if (followed && (await lstat(join(root, path))).isSymbolicLink())
    throw new GateBreach('SR-PATH-002', path, 'The entry is a link or a special file.');
  return open(
    join(root, path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOOP' || error.code === 'ENXIO')
      throw new GateBreach('SR-PATH-002', path, 'The entry is a link or a special file.');
    throw error;
  });
}
