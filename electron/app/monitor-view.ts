/** What the Monitor page shows of a version: its runs in time, and one of them against the reference, column by column. */
import { AppError } from '#shared/errors.ts';
import type { MonitorView } from '#shared/contract/monitor.ts';
import { compareProfiles } from '#domain/monitoring/index.ts';
import type { OpenVaultState } from './open-state.ts';

export function monitorView(
  { registry, runs }: Pick<OpenVaultState, 'registry' | 'runs'>,
  input: {
    readonly version: string;
    readonly runId?: string | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
  },
): MonitorView {
  const { model, version } = registry.resolve(input.version);
  const name = { model, version };
  const reference = runs.reference(name);
  const finished = runs
    .finished(name)
    .filter(
      ({ startedAt }) =>
        (input.from === undefined || startedAt >= input.from) &&
        (input.to === undefined || startedAt < input.to),
    );
  const shown =
    input.runId === undefined
      ? finished.find(({ isReference }) => !isReference)
      : finished.find(({ runId }) => runId === input.runId);
  if (input.runId !== undefined && shown === undefined)
    throw new AppError('not-found', 'This version has no finished run with that id.');
  const profile = shown === undefined ? undefined : runs.profileOf(shown.runId);
  const report =
    reference === undefined || profile === undefined
      ? undefined
      : compareProfiles(reference.profile, profile);
  return {
    model,
    version,
    state: report?.state ?? 'unknown',
    summary:
      report?.summary ??
      (finished.length === 0 && (input.from !== undefined || input.to !== undefined)
        ? `No run of ${model}@${version} was started ${intervalOf(input)}.`
        : reference === undefined
          ? 'There is no reference yet. The first run of at least 30 rows becomes it.'
          : 'No run has been compared with the reference yet.'),
    reference:
      reference === undefined
        ? null
        : {
            source: reference.source,
            runId: reference.runId ?? null,
            rows: reference.profile.rows,
            since: reference.since,
          },
    current:
      shown === undefined || report === undefined
        ? null
        : { runId: shown.runId, at: shown.startedAt, rows: shown.rows },
    columns: report?.columns ?? [],
    timeline: finished
      .toReversed()
      .map(({ runId, startedAt, rows, driftState, drifted, isReference, inputName }) => ({
        runId,
        at: startedAt,
        version,
        rows,
        state: isReference ? 'reference' : (driftState ?? 'ok'),
        drifted,
        inputName,
      })),
  };
}

function intervalOf({
  from,
  to,
}: {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}): string {
  if (from === undefined) return `before ${to ?? ''}`;
  return to === undefined ? `at or after ${from}` : `between ${from} and ${to}`;
}
