/**
 * A contained child that has started another process, which holds 64 MiB, gives out by a false /proc that it is small, and then
 * does as it is told.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';

const holder =
  'globalThis.held = Buffer.alloc(64 * 2 ** 20, 1); console.log("held"); setInterval(() => undefined, 1000);';
// Pipes: it has no /dev/null.
const other = spawn(process.execPath, ['-e', holder], { detached: true });
other.stdout.once('data', () => {
  if (existsSync('/strongroom-child')) lie();
  process.send?.('started');
});

process.once('message', (order) => {
  if (order === 'abort') process.abort();
  else process.kill(process.pid, order as NodeJS.Signals);
});

/** What is reached by way of its folder is of its own making. */
function lie(): void {
  mkdirSync('/tmp/folder');
  mkdirSync('/tmp/proc/1', { recursive: true });
  writeFileSync('/tmp/proc/1/status', 'VmRSS:\t1 kB\n');
  rmdirSync('/strongroom-child');
  symlinkSync('tmp/folder', '/strongroom-child');
}
