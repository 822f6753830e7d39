/**
 * Does one act on a vault and ends itself at the n-th named point. Arguments: folder, act, n (0: at none), run id.
 * Prints the points that it passed.
 */
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { createClient } from '#shared/rpc.ts';
import { createApp } from '#app/create-app.ts';
import { onStep } from '#platform/steps.ts';

const [dir = '', act = '', killAt = '0', runId = ''] = process.argv.slice(2);
const reason = 'as tested';
const app = createApp({ vaultDir: join(dir, 'vault'), host: 'cli' });
const client = createClient(contract, app.dispatch);
await client.vault.signIn({ user: 'ada', password: 'a quiet harbour' });

const points: string[] = [];
onStep((name) => {
  points.push(name);
  if (points.length === Number(killAt)) process.kill(process.pid, 'SIGKILL');
});
if (act === 'version') await client.erasure.version({ version: 'tested@1', reason });
else if (act === 'subject') await client.erasure.subject({ subject: 'anna-17', reason });
else if (act === 'data') await client.erasure.data({ runId, reason });
else {
  const { operationId } = await client.runs.start({
    version: 'tested@2',
    input: app.admitFile(join(dir, 'people.csv')),
    folder: app.admitFile(dir),
    name: 'again.csv',
    keep: true,
    subject: 'who',
  });
  const { error } = await app.settled(operationId, () => undefined);
  if (error !== null) throw new Error(error.message);
}
process.stdout.write(JSON.stringify(points));
await app.close();
