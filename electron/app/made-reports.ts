import type { LogEntry } from '#shared/contract/audit.ts';
import { reportKind, type MadeReport } from '#shared/contract/reports.ts';
import type { OpenVaultState } from './open-state.ts';

/** Reports are files outside; what the vault knows of them is what the log says. */
export function madeReports({ log }: OpenVaultState): MadeReport[] {
  const { entries } = log.list({ action: 'report.make', limit: 500 });
  return entries.flatMap(({ entry }) => entryToReport(entry));
}

function entryToReport({ phase, outcome, objects, details, time, actor }: LogEntry): MadeReport[] {
  const report = objects.find(({ type }) => type === 'report');
  const kind = reportKind.safeParse(report?.id);
  if (phase !== 'outcome' || outcome !== 'ok' || report?.digest === undefined || !kind.success)
    return [];
  return [
    {
      kind: kind.data,
      digest: report.digest,
      name: String(details?.['name']),
      at: time,
      actor,
      entries: Number(details?.['entries']),
      logSize: Number(details?.['logSize']),
    },
  ];
}
