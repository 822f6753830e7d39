/** Entry of the thread that computes SHA-256: it has no file and no key, only the lanes. `hasher.ts` starts it. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { HasherMemory, HashRequest } from './hasher.ts';

const { memory, laneBytes } = workerData as HasherMemory;
let hash = createHash('sha256');

parentPort?.on('message', (request: HashRequest) => {
  if (request.kind === 'update') {
    hash.update(new Uint8Array(memory, request.lane * laneBytes, request.lengthBytes));
    parentPort?.postMessage('');
    return;
  }
  if (request.kind === 'digest') parentPort?.postMessage(hash.digest('hex'));
  hash = createHash('sha256');
});
