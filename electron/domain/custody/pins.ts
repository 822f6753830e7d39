/**
 * Pins: the newest checkpoint of each vault that this computer has seen, outside the vault, so that a vault folder that was put
 * back whole from an older copy is found. One file per vault, `<vault id>.note`, replaced in one step. Without `durable` the
 * system may write it later: a pin may be older than the log and is never newer.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseCheckpoint } from '#domain/audit/index.ts';
import { step } from '#platform/steps.ts';

export type Pin =
  | { readonly state: 'kept'; readonly text: string; readonly size: number; readonly root: string }
  | { readonly state: 'missing' }
  | { readonly state: 'unreadable' };

export interface Pins {
  /** For display. */
  readonly dir: string;
  read(vaultId: string): Pin;
  /** Throws what the system says when it cannot be written. */
  write(vaultId: string, checkpoint: string, how: 'durable' | 'quick'): void;
}

export function createPins(dir: string): Pins {
  const pathOf = (vaultId: string): string => join(dir, `${vaultId}.note`);
  return {
    dir,
    read(vaultId) {
      try {
        const text = readFileSync(pathOf(vaultId), 'utf8');
        const { size, root } = parseCheckpoint(text);
        return { state: 'kept', text, size, root: Buffer.from(root).toString('hex') };
      } catch (error) {
        const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
        return { state: isMissing ? 'missing' : 'unreadable' };
      }
    },
    write(vaultId, checkpoint, how) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const temporary = `${pathOf(vaultId)}.part`;
      const file = openSync(temporary, 'w', 0o600);
      try {
        writeSync(file, checkpoint);
        if (how === 'durable') fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, pathOf(vaultId));
      step('pin: kept');
    },
  };
}
