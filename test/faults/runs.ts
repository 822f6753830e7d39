/** What the acts that score share. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { contract, type AppClient } from '#shared/contract/index.ts';
import type { RunSummary } from '#shared/contract/runs.ts';
import type { BareApp } from '../support/bare-app.ts';
import { ada, type Place } from './act.ts';

export function resultsOf(dir: string): string {
  return join(dir, 'results');
}

export function outputName(round: number): string {
  return `out-${round}.csv`;
}

export async function newestRun(
  client: AppClient,
  inputName: string,
): Promise<RunSummary | undefined> {
  const runs = await client.runs.list({});
  return runs.find((run) => run.inputName === inputName);
}

/** Whether the run was done; throws when its output says something else. */
export function scored({ state }: RunSummary, output: string): 'all' | 'nothing' {
  if (state === 'interrupted' || state === 'failed') return 'nothing';
  if (state !== 'done' || !existsSync(output))
    throw new Error(`The run is ${state}, and its output does not fit that.`);
  return 'all';
}

/** Signs in and scores that file of the material. */
export async function score(
  { app, client, dir, wait }: BareApp,
  { material, round }: Place,
  inputName: string,
  kept: { readonly keep?: boolean; readonly subject?: string } = {},
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
      ...kept,
    }),
  );
}
