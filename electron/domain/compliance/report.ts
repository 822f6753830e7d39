/** Makes a report: history from the log, pages for people, the same as JSON for machines, and the proofs for those who doubt. */
import { z } from 'zod';
import { hash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import {
  keyFingerprint,
  parseEntry,
  parseVerifierKey,
  type AuditLog,
} from '#domain/audit/index.ts';
import { canonicalJson } from '#platform/canonical-json.ts';
import type { Bar, Pages } from './pages.ts';
import {
  entriesForHistory,
  productionHistory,
  productionHistorySchema,
  type HistoryFilter,
  type ProductionHistory,
} from './production-history.ts';
import { blankSlot, signReport, slotName } from './signature-slot.ts';

export const attachmentNames = {
  evidence: 'evidence.json',
  entries: 'entries.jsonl',
  proofs: 'proofs.jsonl',
  checkpoint: 'checkpoint.txt',
  key: 'verifier-key.txt',
} as const;
/** There once the log has had more than one key. */
export const keyHistoryName = 'key-history.txt';
const maxEntries = 20_000;

export const evidenceSchema = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal('production-history'),
  filter: z.strictObject({
    model: z.string().nullable(),
    from: z.string().nullable(),
    to: z.string().nullable(),
  }),
  madeAt: z.string(),
  madeBy: z.string(),
  log: z.strictObject({ origin: z.string(), size: z.int(), root: z.string() }),
  /** Indexes of the entries that the history is computed from. */
  entries: z.array(z.int()),
  history: productionHistorySchema,
});
export type Evidence = z.infer<typeof evidenceSchema>;

export interface ReportRequest {
  readonly log: AuditLog;
  readonly filter: HistoryFilter;
  readonly now: Date;
  readonly actor: string;
  /** The file's name, as the statement names it. */
  readonly name: string;
}

/** A signed PDF/A-3. Throws `limit` when the period has more entries than one report can carry. */
export async function makeProductionHistory(request: ReportRequest): Promise<{
  readonly pdf: Uint8Array;
  readonly digest: string;
  readonly entries: number;
  readonly logSize: number;
}> {
  const { log, filter, now, actor } = request;
  const head = log.head();
  const key = parseVerifierKey(head.verifierKey);
  const used = entriesForHistory(readEntries(log), filter);
  if (used.length > maxEntries)
    throw new AppError(
      'limit',
      `The report would need ${used.length} entries of the log; one can carry ${maxEntries}. Name a model.`,
    );
  const history = productionHistory(used, filter);
  const evidence: Evidence = {
    schemaVersion: 1,
    kind: 'production-history',
    filter,
    madeAt: now.toISOString(),
    madeBy: actor,
    log: { origin: key.name, size: head.size, root: head.root },
    entries: used.map(({ index }) => index),
    history,
  };
  // Loaded here only: what writes PDF would be a sixth of every start.
  const { createPages } = await import('./pages.ts');
  const pages = createPages({
    title: 'Production history',
    subject: `Log of ${head.size} entries, root ${head.root}`,
    date: now,
  });
  const ever = productionHistory(used, { ...filter, from: null, to: null });
  const overridden = new Set(
    ever.imports.filter((item) => item.overridden).map(({ version }) => version),
  );
  drawPages(pages, evidence, { fingerprint: keyFingerprint(key), overridden });
  const attach = (name: string, type: string, description: string, content: string): void =>
    pages.attach({ name, type, description, content: Buffer.from(content) });
  attach(
    attachmentNames.evidence,
    'application/json',
    'The content of this report, for machines',
    canonicalJson(evidence),
  );
  attach(
    attachmentNames.entries,
    'application/jsonl',
    'The log entries it is computed from',
    used.map((entry) => `${canonicalJson(entry)}\n`).join(''),
  );
  attach(
    attachmentNames.proofs,
    'application/jsonl',
    'An inclusion proof (tlog-proof) for each entry',
    used
      .map(
        ({ index }) => `${JSON.stringify({ index, proof: log.prove(index, 'attached').text })}\n`,
      )
      .join(''),
  );
  attach(
    attachmentNames.checkpoint,
    'text/plain',
    'The signed checkpoint of the log',
    head.checkpoint,
  );
  attach(
    attachmentNames.key,
    'text/plain',
    'The key that checkpoint and report are signed with',
    `${head.verifierKey}\n`,
  );
  const keyHistory = log.keyHistory();
  if (keyHistory !== '')
    attach(keyHistoryName, 'text/plain', 'How the key follows from those before it', keyHistory);
  pages.attach({
    name: slotName,
    type: 'application/json',
    description: 'Signature over this whole file',
    content: blankSlot,
    uncompressed: true,
  });
  const blank = await pages.finish(`log ${head.size} · root ${head.root}`);
  const pdf = signReport(blank, {
    name: request.name,
    kind: evidence.kind,
    predicate: { madeAt: evidence.madeAt, madeBy: actor, logSize: head.size, logRoot: head.root },
    verifierKey: head.verifierKey,
    sign: (message) => log.sign(message),
  });
  return { pdf, digest: `sha256:${hash('sha256', pdf)}`, entries: used.length, logSize: head.size };
}

function* readEntries(log: AuditLog): Generator<LogEntry> {
  for (const text of log.texts()) {
    const entry = parseEntry(text);
    if (entry === undefined)
      throw new AppError(
        'tampered',
        'The log holds an entry that Strongroom did not write. Verify the log; no report is made from it.',
      );
    yield entry;
  }
}

function drawPages(
  pages: Pages,
  evidence: Evidence,
  shown: {
    readonly fingerprint: string;
    /** Versions that two people let in against the gate, whenever that was. */
    readonly overridden: ReadonlySet<string>;
  },
): void {
  const { history, filter, log, madeAt, madeBy } = evidence;
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
  pages.heading('Versions in production');
  if (history.intervals.length === 0)
    pages.paragraph('No version was in production in this period.');
  else
    pages.table(
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
  pages.heading('Imports');
  if (history.imports.length === 0) pages.paragraph('Nothing was imported in this period.');
  else
    pages.table(
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
  pages.heading('Acts');
  if (history.acts.length === 0) pages.paragraph('No version changed its stage in this period.');
  else
    pages.table(
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
  pages.heading('Runs');
  if (history.runs.length === 0) pages.paragraph('No file was scored in this period.');
  else
    pages.table(
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
  const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
  return `${standing} The period has ${count(intervals.length, 'production interval', 'production intervals')}, ${count(imports.length, 'import', 'imports')} and ${count(runs.length, 'run', 'runs')} over ${count(rows, 'row', 'rows')}.`;
}

/** 2031-05-01T10:00:00.000Z → 2031-05-01 10:00:00. */
function utc(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

function shortDigest(digest: string | null): string {
  return digest === null ? '' : `${digest.slice(0, 11)}…${digest.slice(-4)}`;
}
