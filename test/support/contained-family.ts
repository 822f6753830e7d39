/** A contained child that has started another process, which holds 64 MiB, and then does as it is told. */
import { spawn } from 'node:child_process';

const holder =
  'globalThis.held = Buffer.alloc(64 * 2 ** 20, 1); console.log("held"); setInterval(() => undefined, 1000);';
// Pipes: it has no /dev/null.
const other = spawn(process.execPath, ['-e', holder], { detached: true });
other.stdout.once('data', () => process.send?.('started'));
process.once('message', (order) => {
  if (order === 'abort') process.abort();
  else process.kill(process.pid, order as NodeJS.Signals);
});
