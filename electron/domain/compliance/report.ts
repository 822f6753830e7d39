/** Makes a report: history from the log, pages for people, the same as JSON for machines, and the proofs for those who doubt. */
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
import { attachmentNames, keyHistoryName, type Evidence } from './evidence.ts';
import { drawHistory } from './history-pages.ts';
import { entriesForHistory, productionHistory, type HistoryFilter } from './production-history.ts';
import { blankSlot, signReport, slotName } from './signature-slot.ts';

const maxEntries = 20_000;

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
  drawHistory(pages, evidence, { fingerprint: keyFingerprint(key), overridden });
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
