/** The receipt of a run: signed with the key of the log, and written beside the output. */
import { basename } from 'node:path';
import type { RunResult } from '#shared/contract/runs.ts';
import { step } from '#platform/steps.ts';
import type { ScoreResult } from '#domain/inference/index.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import { receiptPathOf, signReceipt } from '#domain/runs/index.ts';
import type { CallContext } from './handler.ts';
import type { RunSettings } from './run-journal.ts';
import { writeNew } from './small-files.ts';

export function receiptOf(
  context: CallContext,
  run: {
    readonly input: RunSettings & { readonly inputPath: string };
    readonly table: ScoreResult['table'];
    readonly pipeline: Pipeline | undefined;
    readonly result: RunResult;
    /** Who began it. */
    readonly by: string;
    readonly startedAt: string;
    readonly finishedAt: string;
  },
): ReturnType<typeof signReceipt> {
  const { log } = context.open();
  const { input, table, pipeline, result, by, startedAt, finishedAt } = run;
  const { rejectsPath, rejectsDigest } = result;
  return signReceipt(
    {
      runId: result.runId,
      input: {
        name: basename(input.inputPath),
        format: table.format,
        digest: result.inputDigest,
      },
      model: { name: result.model, version: result.version, digest: result.versionDigest },
      binding: pipeline,
      output: { path: result.outputPath, digest: result.outputDigest },
      rejects:
        rejectsPath === null || rejectsDigest === null
          ? undefined
          : { path: rejectsPath, digest: rejectsDigest },
      counts: { rows: result.rows, rejected: result.rejected, outOfRange: result.outOfRange },
      by,
      resumedBy: result.resumedBy,
      startedAt,
      finishedAt,
      settings: {
        outputFormat: input.outputFormat,
        keepColumns: input.keepColumns,
        ...dialectOf(table),
      },
      logIndex: result.logIndex,
    },
    { verifierKey: log.head().verifierKey, keyHistory: log.keyHistory(), sign: log.sign },
  );
}

/** How the input was understood, where that was a choice. */
function dialectOf({ dialect }: ScoreResult['table']): Readonly<Record<string, string>> {
  if (dialect === undefined) return {};
  const { delimiter, quote, encoding, decimal } = dialect;
  return { delimiter, quote: quote ?? 'none', encoding, decimal };
}

/** The run is recorded with its receipt, so a medium that takes no more of it takes nothing away. */
export async function writeReceipt(outputPath: string, text: string): Promise<string | null> {
  const path = receiptPathOf(outputPath);
  try {
    await writeNew(path, text, 0o600);
    step('run: receipt written');
    return path;
  } catch {
    return null; // it can be saved from the run
  }
}
