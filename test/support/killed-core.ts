/** Starts a contained child with a process of its own, says who they are, and waits for its end. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnContained } from '#platform/containment.ts';
import { descendantsOf } from './processes.ts';

const child = spawnContained(join(import.meta.dirname, 'contained-family.ts'), {
  cwd: mkdtempSync(join(tmpdir(), 'strongroom-contained-')),
  limits: { dataBytes: 2 ** 30, processorSeconds: 60 },
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
});
child.once('message', () => process.send?.([child.pid ?? 0, ...descendantsOf(child.pid ?? 0)]));
