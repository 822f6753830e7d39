/**
 * A child that scores a file and is killed when it has recorded for the nth time how far it came. Arguments: the folder with the
 * vault and `rows.csv`, beside which `results` is made, n, and for an interrupted run that goes on `run` and its id, or `model` and
 * the name of another one than `tested`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { onStep } from '#platform/steps.ts';
import { appPasswords, openBareApp } from './bare-app.ts';

const [dir = '', nth = '1', what, named = ''] = process.argv.slice(2);
const runId = what === 'run' ? named : undefined;
let left = Number(nth);
onStep((name) => {
  if (name !== 'run: how far it came is recorded') return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
const results = join(dir, 'results');
mkdirSync(results, { recursive: true });
const { app, client, wait } = openBareApp(dir, { checkpointMs: 0 });
await client.vault.signIn({ user: 'ada', password: appPasswords.ada });
if (runId === undefined)
  await wait(
    contract.runs.start,
    client.runs.start({
      version: what === 'model' ? named : 'tested',
      input: app.admitFile(join(dir, 'rows.csv')),
      folder: app.admitFile(results),
      name: 'killed.csv',
    }),
  );
else await wait(contract.runs.resume, client.runs.resume({ runId }));
