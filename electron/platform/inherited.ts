/** What a process was given by whoever started it, and would give to its children. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

/**
 * First thing in the core: descriptors that somebody above left open would be open in the child of a hostile model too. Those of
 * Node are marked not to be handed on, and Node marks the first ones of others when it starts.
 */
export function closeInherited(): void {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const info = readFileSync(`/proc/self/fdinfo/${name}`, 'utf8');
      const flags = /^flags:\s+(\d+)$/m.exec(info)?.[1];
      if (
        Number(name) > 2 &&
        flags !== undefined &&
        (Number.parseInt(flags, 8) & closeOnExec) === 0
      )
        closeSync(Number(name));
    } catch {
      // That of the listing itself is closed by now.
    }
  }
}
