/** What a child may use, told from the size of the model that it is to load. */
import { totalmem } from 'node:os';
import type { ModelFiles } from './open-files.ts';
import type { RunLimits } from './process.ts';

/** Room for the decrypted model, the adapted copy, the runtime's own, and the process itself. */
export function defaultLimitsFor({ model, external }: ModelFiles): RunLimits {
  return limitsForBytes(
    model.sizeBytes + external.reduce((sum, { file }) => sum + file.sizeBytes, 0),
  );
}

/** `weights` in bytes; 0 for a child that has no model. */
export function limitsForBytes(weights: number): RunLimits {
  return {
    folderBytes: Math.ceil(1.1 * weights) + 64 * 2 ** 20,
    dataBytes: 3 * 2 ** 30 + 4 * weights,
    // With the folder; a machine that has less is to lose this child, and not one of its own choice.
    residentBytes: Math.min(3 * 2 ** 30 + 5 * weights, 0.8 * totalmem()),
    processorSeconds: 24 * 3600,
    loadMs: 60_000 + weights / 1e5,
    silenceMs: 120_000,
  };
}
