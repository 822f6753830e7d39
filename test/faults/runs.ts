/** What the acts that score share. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AppClient } from '#shared/contract/index.ts';
import type { RunSummary } from '#shared/contract/runs.ts';

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
