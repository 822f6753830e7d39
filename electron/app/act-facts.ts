/** What the outcome of an act says of it. */
import type { LogEntry } from '#shared/contract/audit.ts';
import type { RunResult } from '#shared/contract/runs.ts';

export interface ActFacts {
  readonly objects?: LogEntry['objects'];
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Which run of which version: known before it starts. */
export function runSubject(run: {
  readonly runId: string;
  readonly model: string;
  readonly version: number;
  readonly versionDigest: string;
}): ActFacts {
  return {
    objects: [
      { type: 'run', id: run.runId },
      { type: 'version', id: `${run.model}@${run.version}`, digest: run.versionDigest },
    ],
  };
}

/** What became of it. */
export function runFacts(run: {
  readonly result: RunResult;
  readonly drift: string | undefined;
}): ActFacts {
  const { result, drift } = run;
  return {
    objects: [
      { type: 'input', id: 'data', digest: result.inputDigest },
      { type: 'output', id: 'predictions', digest: result.outputDigest },
    ],
    details: {
      rows: result.rows,
      rejected: result.rejected,
      seconds: Number(result.seconds.toFixed(3)),
      ...(drift === undefined ? {} : { drift }),
    },
  };
}
