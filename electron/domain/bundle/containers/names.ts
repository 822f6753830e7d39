/** Names inside of a bundle: no way out, no two that are one on some system, nothing that hides what it is. */
import { hidesText } from '#platform/printable.ts';
import { utf8Text } from '#platform/utf8.ts';
import { gateLimits } from '../limits.ts';
import { GateBreach } from './breach.ts';

export function checkPath(path: string): void {
  const parts = path.split('/');
  const escapes =
    path.startsWith('/') ||
    /^[A-Za-z]:/.test(path) ||
    path.includes('\\') ||
    path.includes('\uFFFD') ||
    parts.some((part) => part === '..' || part === '.' || part === '');
  if (escapes || hidesText(path))
    throw new GateBreach(
      'SR-PATH-001',
      printable(path).slice(0, 200),
      'The name of an entry leads out of the bundle, or hides what it is.',
    );
  if (
    path.length > gateLimits.pathLength ||
    parts.length > gateLimits.pathDepth ||
    parts.some((part) => Buffer.byteLength(part) > 255)
  ) {
    throw new GateBreach(
      'SR-LIMIT-001',
      printable(path).slice(0, 200),
      'The name of an entry is too long or too deep.',
    );
  }
}

/** Whether `checkPath` lets it pass. */
export function isPlainPath(path: string): boolean {
  try {
    checkPath(path);
    return true;
  } catch (error) {
    if (error instanceof GateBreach) return false;
    throw error;
  }
}

/** Names as the strictest file system would see them: case, Unicode form, dots and spaces at the end, and files against folders. */
export function createNames(): { claim(path: string): boolean } {
  const files = new Set<string>();
  const folders = new Set<string>();
  return {
    claim(path) {
      // Upper case first, so that ß and SS, σ and ς meet.
      const folded = path
        .normalize('NFC')
        .toUpperCase()
        .toLowerCase()
        .replace(/[. ]+(?=\/|$)/g, '');
      const parts = folded.split('/');
      const above = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
      if (files.has(folded) || folders.has(folded) || above.some((folder) => files.has(folder)))
        return false;
      files.add(folded);
      for (const folder of above) folders.add(folder);
      return true;
    },
  };
}

export function utf8Name(name: Buffer): string {
  try {
    return utf8Text(name);
  } catch {
    throw new GateBreach(
      'SR-PATH-001',
      printable(name.toString('latin1')),
      'The name of a file is not valid UTF-8.',
    );
  }
}

/** `tar -C FOLDER .` and some packers of zips begin every name with `./`. */
export function plainPath(path: string): string {
  return path.replace(/^\.\//, '');
}

/** For messages: control characters must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}
