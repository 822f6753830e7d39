/**
 * Which version of which model was in production when, who asked and who approved, why, and what was scored with it: computed
 * from log entries and nothing else, so that anybody who has the entries can compute it again. Every fact names the index
 * of the entry that it comes from.
 */
import { z } from 'zod';
import type { LogEntry } from '#shared/contract/audit.ts';

const moment = { at: z.string(), index: z.int() };
const person = z.strictObject({ name: z.string(), ...moment });

const interval = z.strictObject({
  model: z.string(),
  version: z.string(),
  digest: z.string().nullable(),
  from: z.strictObject(moment),
  /** Null while it goes on. */
  to: z.strictObject(moment).nullable(),
  action: z.string(),
  requestedBy: person.nullable(),
  decidedBy: person,
  reason: z.string().nullable(),
  runs: z.int(),
  rows: z.int(),
  rejected: z.int(),
});
export type ProductionInterval = z.infer<typeof interval>;

const act = z.strictObject({
  ...moment,
  actor: z.string(),
  role: z.string(),
  action: z.string(),
  version: z.string(),
  result: z.string(),
  reason: z.string().nullable(),
});
const imported = z.strictObject({
  ...moment,
  actor: z.string(),
  version: z.string(),
  digest: z.string().nullable(),
  signature: z.string(),
  signer: z.string().nullable(),
  overridden: z.boolean(),
});
const run = z.strictObject({
  ...moment,
  actor: z.string(),
  version: z.string(),
  rows: z.int(),
  rejected: z.int(),
  inputDigest: z.string().nullable(),
  outputDigest: z.string().nullable(),
});

export const productionHistorySchema = z.strictObject({
  intervals: z.array(interval),
  acts: z.array(act),
  imports: z.array(imported),
  runs: z.array(run),
});
export type ProductionHistory = z.infer<typeof productionHistorySchema>;

export interface HistoryFilter {
  readonly model: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

const lifecycleActions: ReadonlySet<string> = new Set([
  'model.promote',
  'model.approve',
  'model.reject',
  'model.rollback',
  'model.retire',
]);
const usedActions: ReadonlySet<string> = new Set([
  ...lifecycleActions,
  'bundle.import',
  'run.score',
]);

const lifecycleDetails = z.looseObject({
  status: z.string(),
  from: z.string().optional(),
  to: z.string(),
  alias: z.string().optional(),
});
const runDetails = z.looseObject({ rows: z.int(), rejected: z.int() });
const importDetails = z.looseObject({
  signature: z.string(),
  signer: z.string().nullish(),
  overridden: z.boolean().optional(),
});

/** The entries that the history is computed from: announced and ended acts on models, in order. */
export function entriesForHistory(
  entries: Iterable<LogEntry>,
  { model }: Pick<HistoryFilter, 'model'>,
): LogEntry[] {
  const begun = new Map<number, LogEntry>();
  const used: LogEntry[] = [];
  for (const entry of entries) {
    if (!usedActions.has(entry.action)) continue;
    if (entry.phase === 'begin') begun.set(entry.index, entry);
    if (entry.phase !== 'outcome' || entry.of === undefined) continue;
    const version = entry.objects.find(({ type }) => type === 'version')?.id;
    const beginning = begun.get(entry.of);
    if (
      beginning === undefined ||
      (model !== null && version !== undefined && modelOf(version) !== model) ||
      (model !== null && version === undefined)
    )
      continue;
    used.push(beginning, entry);
  }
  return used.sort((a, b) => a.index - b.index);
}

/** `entries` as `entriesForHistory` gives them; the period cuts what is shown, not what is known. */
export function productionHistory(
  entries: readonly LogEntry[],
  filter: HistoryFilter,
): ProductionHistory {
  const begun = new Map(
    entries.filter(({ phase }) => phase === 'begin').map((entry) => [entry.index, entry]),
  );
  const requests = new Map<
    string,
    { readonly name: string; readonly at: string; readonly index: number }
  >();
  const current = new Map<string, ProductionInterval>();
  const history: ProductionHistory = { intervals: [], acts: [], imports: [], runs: [] };
  for (const entry of entries) {
    const beginning = entry.of === undefined ? undefined : begun.get(entry.of);
    const object = entry.objects.find(({ type }) => type === 'version');
    if (entry.phase !== 'outcome' || beginning === undefined || object === undefined) continue;
    const facts = { at: entry.time, index: entry.index, actor: entry.actor, version: object.id };
    if (entry.action === 'run.score') addRun(entry, facts);
    else if (entry.action === 'bundle.import') addImport(entry, facts);
    else addAct(entry, beginning, facts);
  }
  return cut(history, filter);

  function addRun(
    entry: LogEntry,
    facts: { at: string; index: number; actor: string; version: string },
  ): void {
    const details = runDetails.safeParse(entry.details);
    if (entry.outcome !== 'ok' || !details.success) return;
    const digestOf = (type: string): string | null =>
      entry.objects.find((item) => item.type === type)?.digest ?? null;
    const { rows, rejected } = details.data;
    history.runs.push({
      ...facts,
      rows,
      rejected,
      inputDigest: digestOf('input'),
      outputDigest: digestOf('output'),
    });
    const open = current.get(modelOf(facts.version));
    if (open?.version !== facts.version) return;
    open.runs += 1;
    open.rows += rows;
    open.rejected += rejected;
  }

  function addImport(
    entry: LogEntry,
    facts: { at: string; index: number; actor: string; version: string },
  ): void {
    const details = importDetails.safeParse(entry.details);
    if (entry.outcome !== 'ok' || !details.success) return;
    const { signature, signer, overridden } = details.data;
    history.imports.push({
      ...facts,
      digest: digestOfVersion(entry),
      signature,
      signer: signer ?? null,
      overridden: overridden ?? false,
    });
  }

  function addAct(
    entry: LogEntry,
    beginning: LogEntry,
    facts: { at: string; index: number; actor: string; version: string },
  ): void {
    const details = lifecycleDetails.safeParse(entry.details);
    const status = details.success ? details.data.status : (entry.outcome ?? 'error');
    const reason = beginning.reason ?? null;
    const result =
      entry.outcome === 'ok' && details.success
        ? status === 'pending'
          ? `waits for approval to ${details.data.to}`
          : details.data.to
        : (entry.code ?? 'error');
    history.acts.push({ ...facts, role: entry.role, action: entry.action, result, reason });
    if (entry.outcome !== 'ok' || !details.success) return;
    const { to, alias } = details.data;
    const moment = { at: entry.time, index: entry.index };
    if (status === 'pending') {
      requests.set(facts.version, { name: entry.actor, ...moment });
      return;
    }
    const model = modelOf(facts.version);
    const open = current.get(model);
    if (alias === 'production') {
      if (open !== undefined) open.to = moment;
      const started: ProductionInterval = {
        model,
        version: facts.version,
        digest: digestOfVersion(entry),
        from: moment,
        to: null,
        action: entry.action,
        requestedBy: requests.get(facts.version) ?? null,
        decidedBy: { name: entry.actor, ...moment },
        reason,
        runs: 0,
        rows: 0,
        rejected: 0,
      };
      history.intervals.push(started);
      current.set(model, started);
    } else if (open?.version === facts.version && (to === 'retired' || to === 'rejected')) {
      open.to = moment;
      current.delete(model);
    }
    requests.delete(facts.version);
  }
}

function cut(history: ProductionHistory, { from, to }: HistoryFilter): ProductionHistory {
  const within = ({ at }: { readonly at: string }): boolean =>
    (from === null || at >= from) && (to === null || at < to);
  return {
    intervals: history.intervals.filter(
      (item) =>
        (to === null || item.from.at < to) &&
        (from === null || item.to === null || item.to.at >= from),
    ),
    acts: history.acts.filter(within),
    imports: history.imports.filter(within),
    runs: history.runs.filter(within),
  };
}

function digestOfVersion(entry: LogEntry): string | null {
  return entry.objects.find(({ type }) => type === 'version')?.digest ?? null;
}

/** `credit-risk@3` → `credit-risk`. */
function modelOf(version: string): string {
  return version.slice(0, version.lastIndexOf('@'));
}
