/** In the place of the thread that hashes: ends at the third block, by an error or of itself. */
import { parentPort } from 'node:worker_threads';
import type { HashRequest } from '#platform/hasher.ts';

let blocks = 0;

parentPort?.on('message', ({ kind }: HashRequest) => {
  if (kind !== 'update') return;
  blocks += 1;
  if (blocks < 3) parentPort?.postMessage('');
  else if (import.meta.url.endsWith('#exit')) process.exit(0);
  else throw new Error('a fault of the thread');
});
