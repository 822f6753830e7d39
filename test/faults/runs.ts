/** What the acts that score share. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contract, type AppClient } from '#shared/contract/index.ts';
import type { RunSummary } from '#shared/contract/runs.ts';
import type { BareApp } from '../support/bare-app.ts';
import { ada, type Place } from './act.ts';

export function resultsOf(dir: string): string {
  return join(dir, 'results');
}

function outputName(round: number): string {
  return `out-${round}.csv`;
}

export async function newestRun(
  client: AppClient,
  inputName: string,
): Promise<RunSummary | undefined> {
  const runs = await client.runs.list({});
  return runs.find((run) => run.inputName === inputName);
}

/** Whether the run was done; throws when its output or its receipt, which can be saved whatever was killed, says something else. */
export async function scored(
  { app, client, dir, wait }: BareApp,
  { runId, state }: RunSummary,
  round: number,
): Promise<'all' | 'nothing'> {
  if (state === 'interrupted' || state === 'failed') return 'nothing';
  const folder = resultsOf(dir);
  if (state !== 'done' || !existsSync(join(folder, outputName(round))))
    throw new Error(`The run is ${state}, and its output does not fit that.`);
  const name = `${runId}.json`;
  rmSync(join(folder, name), { force: true });
  const { path } = await client.runs.receipt({ runId, folder: app.admitFile(folder), name });
  const verdict = await wait(
    contract.reports.verify,
    client.reports.verify({ file: app.admitFile(path) }),
  );
  if (verdict.status !== 'valid') throw new Error(`Its receipt: ${JSON.stringify(verdict)}`);
  return 'all';
}

/** Signs in and scores that file of the material. */
export async function score(
  { app, client, dir, wait }: BareApp,
  { material, round }: Place,
  inputName: string,
  more: {
    readonly keep?: boolean;
    readonly subject?: string;
    readonly outputFormat?: 'jsonl';
  } = {},
): Promise<void> {
  await client.vault.signIn(ada);
  mkdirSync(resultsOf(dir), { recursive: true });
  await wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested@1',
      input: app.admitFile(join(material, inputName)),
      folder: app.admitFile(resultsOf(dir)),
      name: outputName(round),
      ...more,
    }),
  );
}
