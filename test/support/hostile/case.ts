/** A hostile file: how it is made, and what the gate must say of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OnnxModel } from '#domain/onnx/index.ts';
import { writeFolder, type Files } from '../bundles.ts';
import { bytesOf } from '../onnx-models.ts';

export interface HostileCase {
  readonly name: string;
  /** The rule that must speak. */
  readonly expected: string;
  /** Makes it in an empty folder and gives its path. */
  make(folder: string): string | Promise<string>;
}

/** A bare model file. */
export function modelCase(
  name: string,
  expected: string,
  content: () => OnnxModel | Uint8Array,
): HostileCase {
  return {
    name,
    expected,
    make(folder) {
      const made = content();
      const path = join(folder, 'bare.onnx');
      writeFileSync(path, made instanceof Uint8Array ? made : bytesOf(made));
      return path;
    },
  };
}

/** A folder of files. */
export function folderCase(name: string, expected: string, files: () => Files): HostileCase {
  return { name, expected, make: (folder) => writeFolder(join(folder, 'bundle'), files()) };
}
