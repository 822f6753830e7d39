/** In the place of the thread that encrypts: ends at the third block, by an error or of itself. */
import { parentPort } from 'node:worker_threads';

let blocks = 0;

parentPort?.on('message', ({ kind }: { readonly kind: string }) => {
  if (kind !== 'seal') return;
  blocks += 1;
  if (blocks < 3) parentPort?.postMessage(2 * 2 ** 20);
  else if (import.meta.url.endsWith('#exit')) process.exit(0);
  else throw new Error('a fault of the thread');
});
