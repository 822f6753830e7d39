/** What the outcome of an act says of it. */
import type { LogEntry } from '#shared/contract/audit.ts';
import type { RunResult } from '#shared/contract/runs.ts';
import type { UserEntry } from '#domain/identity/index.ts';

export interface ActFacts {
  readonly objects?: LogEntry['objects'];
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What an act will have done to a key slot, remembered before the slot changes, and the row of the user that goes with it. */
export interface SlotFacts extends ActFacts {
  /** Undefined where there is a row and no slot. */
  readonly change: string | undefined;
  readonly user?: UserEntry;
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
      ...(result.bindingDigest === null
        ? []
        : [{ type: 'binding', id: 'pipeline', digest: result.bindingDigest }]),
      { type: 'output', id: 'predictions', digest: result.outputDigest },
      ...(result.rejectsDigest === null
        ? []
        : [{ type: 'output', id: 'rejects', digest: result.rejectsDigest }]),
      ...(result.receiptDigest === null
        ? []
        : [{ type: 'receipt', id: 'receipt.json', digest: result.receiptDigest }]),
    ],
    details: {
      rows: result.rows,
      rejected: result.rejected,
      seconds: Number(result.seconds.toFixed(3)),
      ...(drift === undefined ? {} : { drift }),
    },
  };
}
