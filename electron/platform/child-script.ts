/**
 * Which script a child runs: its part of the bundle of all children, which starts several times as fast, or its source. The
 * bundle lies beside the program and is written by whoever may write the program (`npm run build`, and all that builds on the
 * way); it counts as long as each source that it was made of is as it was then.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Each is the entry of a process, `electron/NAME.ts`. */
export type ChildName = 'worker' | 'scanner' | 'outliner';

/** SHA-256 of every source, by its path from the program's folder; written last by `electron/vite.config.ts`. */
const sourcesSchema = z.record(z.string(), z.string());

const program = join(import.meta.dirname, '../..');
const isCurrent = new Map<string, boolean>();

/** `root` is the folder of the program. */
export function childScript(name: ChildName, root: string = program): string {
  // Looked at once: what is edited while the program runs is not what it runs.
  let usesBundle = isCurrent.get(root);
  if (usesBundle === undefined) isCurrent.set(root, (usesBundle = hasCurrentBundle(root)));
  return usesBundle
    ? join(root, '.build', 'children', `${name}.cjs`)
    : join(root, 'electron', `${name}.ts`);
}

function hasCurrentBundle(root: string): boolean {
  try {
    const list = readFileSync(join(root, '.build', 'children', 'sources.json'), 'utf8');
    return Object.entries(sourcesSchema.parse(JSON.parse(list))).every(
      ([path, sha256]) =>
        existsSync(join(root, path)) &&
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex') === sha256,
    );
  } catch {
    return false;
  }
}
