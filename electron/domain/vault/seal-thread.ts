/**
 * Entry of the thread that encrypts: it owns no file and no key but that of the object in hand, which it takes from shared
 * memory and zeroes there. `sealer.ts` starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createBlockSealer, type BlockSealer } from './sealed-blocks.ts';
import { laneMemory, type SealerMemory, type SealRequest } from './sealer.ts';

const { key, ...memory } = workerData as SealerMemory;
const lanes = laneMemory(memory);
let sealer: BlockSealer | undefined;

parentPort?.on('message', (request: SealRequest) => {
  if (request.kind === 'end') {
    sealer?.destroy();
    sealer = undefined;
    return;
  }
  if (request.kind === 'begin') {
    const taken = new Uint8Array(key);
    sealer = createBlockSealer({ ...memory.shape, key: taken, aad: request.aad });
    taken.fill(0);
    return;
  }
  const lane = lanes[request.lane];
  if (sealer === undefined || lane === undefined)
    throw new RangeError('A block was sent before its object, or to a lane that is not there.');
  const { lengthBytes, isLast } = request;
  const count = sealer.seal(lane.plain.subarray(0, lengthBytes), isLast, lane.sealed);
  parentPort?.postMessage(count);
});
