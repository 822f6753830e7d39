/**
 * A child that makes a backup or restores one and is killed at its k-th step. Arguments: `backup VAULT MEDIUM K` or
 * `restore TARGET MEDIUM K`. Ends by itself when there are fewer steps.
 */
import { onStep } from '#platform/steps.ts';
import { restoreVault } from '#domain/custody/index.ts';
import { openCustody } from './custody.ts';

const [act, dir = '', medium = '', at] = process.argv.slice(2);
let left = Number(at);
onStep(() => {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
if (act === 'backup') {
  const { vault, backUp } = await openCustody(dir);
  await backUp(medium);
  vault.close();
} else {
  await restoreVault({
    dirs: [medium],
    target: dir,
    clock: () => new Date(),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}
