/** The pages of a production history, for people. */
import { plural } from '#platform/plural.ts';
import type { Evidence } from './evidence.ts';
import type { Bar, Pages } from './pages.ts';
import type { HistoryFilter, ProductionHistory } from './production-history.ts';

export function drawHistory(
  pages: Pages,
  evidence: Evidence,
  shown: {
    readonly fingerprint: string;
    /** Versions that two people let in against the gate, whenever that was. */
    readonly overridden: ReadonlySet<string>;
  },
): void {
  const { history, filter, log, madeAt, madeBy } = evidence;
  /** A table, or a sentence in its place. */
  const section = (
    title: string,
    none: string,
    ...[columns, rows]: Parameters<Pages['table']>
  ): void => {
    pages.heading(title);
    if (rows.length === 0) pages.paragraph(none);
    else pages.table(columns, rows);
  };
  const period = `${filter.from === null ? 'the beginning' : utc(filter.from)} to ${filter.to === null ? utc(madeAt) : utc(filter.to)}`;
  pages.title('Production history', `${filter.model ?? 'All models'} · ${period} · times are UTC`);
  pages.paragraph(answerOf(history, filter));
  if (history.intervals.length > 0) {
    const start = Date.parse(filter.from ?? history.intervals[0]?.from.at ?? madeAt);
    const end = Math.max(Date.parse(filter.to ?? madeAt), start + 1);
    const place = (at: string): number =>
      Math.min(1, Math.max(0, (Date.parse(at) - start) / (end - start)));
    const bars = history.intervals.map(({ version, from, to }): Bar => ({
      label: version,
      from: place(from.at),
      to: to === null ? 1 : place(to.at),
      open: to === null,
    }));
    pages.timeline(bars.slice(-20), [
      utc(new Date(start).toISOString()),
      utc(new Date(end).toISOString()),
    ]);
  }
  section(
    'Versions in production',
    'No version was in production in this period.',
    [
      { title: 'Version', share: 0.16 },
      { title: 'From', share: 0.15 },
      { title: 'To', share: 0.15 },
      { title: 'Asked for, decided by', share: 0.2 },
      { title: 'Reason', share: 0.2 },
      { title: 'Runs, rows', share: 0.08 },
      { title: 'Entry', share: 0.06 },
    ],
    history.intervals.map((item) => [
      `${item.version}\n${shortDigest(item.digest)}${shown.overridden.has(item.version) ? '\nlet in by two people' : ''}`,
      utc(item.from.at),
      item.to === null ? 'in production' : utc(item.to.at),
      `${item.requestedBy === null ? '' : `${item.requestedBy.name} asked, `}${item.decidedBy.name} decided (${item.action.replace('model.', '')})`,
      item.reason ?? '',
      `${item.runs}\n${item.rows}`,
      { text: String(item.from.index), mono: true },
    ]),
  );
  section(
    'Imports',
    'Nothing was imported in this period.',
    [
      { title: 'Version', share: 0.2 },
      { title: 'When', share: 0.16 },
      { title: 'By', share: 0.14 },
      { title: 'Signature', share: 0.24 },
      { title: 'Digest', share: 0.2 },
      { title: 'Entry', share: 0.06 },
    ],
    history.imports.map((item) => [
      item.version,
      utc(item.at),
      item.actor,
      `${item.signature}${item.signer === null ? '' : ` by ${item.signer}`}${item.overridden ? ', let in by two people' : ''}`,
      { text: shortDigest(item.digest), mono: true },
      { text: String(item.index), mono: true },
    ]),
  );
  section(
    'Acts',
    'No version changed its stage in this period.',
    [
      { title: 'When', share: 0.16 },
      { title: 'Act', share: 0.12 },
      { title: 'Version', share: 0.18 },
      { title: 'By', share: 0.18 },
      { title: 'Result and reason', share: 0.3 },
      { title: 'Entry', share: 0.06 },
    ],
    history.acts.map((item) => [
      utc(item.at),
      item.action.replace('model.', ''),
      item.version,
      `${item.actor} (${item.role})`,
      `${item.result}${item.reason === null ? '' : `: ${item.reason}`}`,
      { text: String(item.index), mono: true },
    ]),
  );
  section(
    'Runs',
    'No file was scored in this period.',
    [
      { title: 'When', share: 0.16 },
      { title: 'Version', share: 0.18 },
      { title: 'By', share: 0.14 },
      { title: 'Rows', share: 0.08 },
      { title: 'Rejected', share: 0.09 },
      { title: 'Input, output', share: 0.29 },
      { title: 'Entry', share: 0.06 },
    ],
    history.runs.map((item) => [
      utc(item.at),
      item.version,
      item.actor,
      String(item.rows),
      String(item.rejected),
      { text: `${shortDigest(item.inputDigest)}\n${shortDigest(item.outputDigest)}`, mono: true },
      { text: String(item.index), mono: true },
    ]),
  );
  pages.heading('How to check this report');
  pages.paragraph(
    'Everything above is computed from the log entries attached to this file. Each entry comes with a proof that it stands in the log whose signed checkpoint is attached too, and the whole file is signed with the key of the log. ' +
      'Run "strongroom verify" with this file, on any machine, without vault or password. It recomputes the tables, the proofs and the signatures. Then compare the fingerprint below with the one that the vault shows: it tells where the report comes from.',
  );
  pages.facts([
    ['Key fingerprint', shown.fingerprint],
    ['Log', log.origin],
    ['Entries in the log', String(log.size)],
    ['Root', log.root],
    ['Made', `${utc(madeAt)} UTC by ${madeBy}`],
    [
      'Attached',
      `${evidence.entries.length} entries and their proofs, evidence as JSON, checkpoint, key, signature`,
    ],
  ]);
}

function answerOf(
  { intervals, runs, imports }: ProductionHistory,
  { model }: HistoryFilter,
): string {
  const now = intervals.filter(({ to }) => to === null);
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const standing =
    now.length === 0
      ? `No version of ${model ?? 'any model'} is in production.`
      : `In production: ${now.map(({ version, from, decidedBy }) => `${version} since ${utc(from.at)} by decision of ${decidedBy.name}`).join('; ')}.`;
  return `${standing} The period has ${plural(intervals.length, 'production interval')}, ${plural(imports.length, 'import')} and ${plural(runs.length, 'run')} over ${plural(rows, 'row')}.`;
}

/** 2031-05-01T10:00:00.000Z → 2031-05-01 10:00:00. */
function utc(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

function shortDigest(digest: string | null): string {
  return digest === null ? '' : `${digest.slice(0, 11)}…${digest.slice(-4)}`;
}
