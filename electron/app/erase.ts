/**
 * Erasure. Each act is decided in one catalog transaction, with the facts that its outcome will state; what the keys leave
 * behind is cleared up afterwards, here or at the next sign-in (domain/vault/erasure.ts). The log itself is never erased.
 */
import { AppError } from '#shared/errors.ts';
import type { DueItem, EraseResult } from '#shared/contract/erasure.ts';
import type { RetentionKind } from '#shared/contract/policy.ts';
import type { InputOf, ResultOf } from '#shared/rpc.ts';
import type { contract } from '#shared/contract/index.ts';
import type { Clock } from '#platform/clock.ts';
import { scrub } from '#platform/database.ts';
import { removeUnfinished } from './run-journal.ts';
import { step } from '#platform/steps.ts';
import { plural } from '#platform/plural.ts';
import { commitTo } from '#domain/kept-data/index.ts';
import { dueItems, type KeptItem } from '#domain/retention/index.ts';
import { doneWith, leaveToDo, leftToDo } from '#domain/vault/index.ts';
import type { ActFacts } from './act-facts.ts';
import { atOnce } from './catalog-acts.ts';
import type { CallContext } from './handler.ts';
import type { OpenStores, OpenVaultState } from './open-state.ts';

type Methods = (typeof contract)['erasure'];

/** What one transaction has destroyed. */
type Destroyed = Omit<EraseResult, 'complete' | 'backups' | 'remaining' | 'receipt'> & {
  readonly since: string | undefined;
  readonly receipt?: EraseResult['receipt'];
};

/** An entry of the log names at most 200 objects; the rest is left for the next act. */
const mostPerAct = 150;

export function eraseVersion(
  context: CallContext,
  { version, reason }: InputOf<Methods['version']>,
): Promise<EraseResult> {
  return erase(context, (opened) => {
    const { destroyed, facts } = destroyVersion(opened, version, reason);
    return [destroyed, facts];
  });
}

export function eraseData(
  context: CallContext,
  { runId }: InputOf<Methods['data']>,
  clock: Clock,
): Promise<EraseResult> {
  return erase(context, ({ keptData, runs }) => {
    const { summary } = runs.show(runId);
    const erased = keptData.eraseRun(runId, clock().toISOString());
    if (erased === undefined)
      throw new AppError('conflict', 'Nothing is kept of the data of this run, or no more.');
    const name = `${summary.model}@${summary.version}`;
    return [
      {
        ...erased,
        erased: [runId],
        message: `What run ${runId} has kept is erased: ${plural(erased.keys, 'key')} destroyed.`,
      },
      {
        objects: [{ type: 'version', id: name }],
        details: { keys: erased.keys, files: erased.files, rows: erased.rows },
      },
    ];
  });
}

export function eraseSubject(
  context: CallContext,
  { subject }: InputOf<Methods['subject']>,
): Promise<EraseResult> {
  return erase(context, ({ keptData }) => {
    const { key, runs, ...erased } = keptData.eraseSubject(subject);
    const { salt, commitment } = commitTo(subject, key, context.logIndex);
    key.key.fill(0);
    return [
      {
        ...erased,
        erased: runs,
        receipt: { logIndex: context.logIndex, salt, commitment },
        message: `${plural(erased.rows, 'row')} of this person in ${plural(runs.length, 'run')} can no longer be read; the rows of others can.`,
      },
      {
        objects: [{ type: 'subject', id: 'commitment', digest: commitment }],
        details: { keys: erased.keys, rows: erased.rows, runs: runs.length },
      },
    ];
  });
}

export async function eraseDue(
  context: CallContext,
  { reason }: InputOf<Methods['due']>,
  clock: Clock,
): Promise<EraseResult> {
  const result = await erase(context, (opened) => {
    const { policy } = opened;
    const items = allDue(opened, clock()).slice(0, mostPerAct);
    const parts = items.map((item) =>
      destroyDue(opened, item, { reason, at: clock().toISOString() }),
    );
    const sum = (of: (part: Destroyed) => number): number =>
      parts.reduce((total, part) => total + of(part), 0);
    const keys = sum((part) => part.keys);
    const kinds = new Set(items.map(({ kind }) => kind));
    return [
      {
        erased: items.map(({ id }) => id),
        keys,
        files: sum((part) => part.files),
        bytes: sum((part) => part.bytes),
        rows: sum((part) => part.rows),
        since: parts.flatMap(({ since }) => since ?? []).toSorted()[0],
        message:
          items.length === 0
            ? 'Nothing was due, and nothing was erased.'
            : `Erased because it was due: ${plural(items.length, 'thing')}, ${plural(keys, 'key')} destroyed.`,
      },
      {
        objects: items.map(({ kind, id }) => ({
          type: versionKinds.has(kind) ? 'version' : 'run',
          id,
        })),
        details: {
          keys,
          // The rule of each kind, in days, and how many things it took.
          rules: Object.fromEntries(
            [...kinds].map((kind) => [
              kind,
              {
                days: policy.read().retention[kind],
                erased: items.filter((item) => item.kind === kind).length,
              },
            ]),
          ),
        },
      },
    ];
  });
  return { ...result, remaining: allDue(context.open(), clock()).length };
}

/** What is kept, by kind; and what is due. */
export function erasureOverview(
  opened: OpenVaultState,
  clock: Clock,
): ResultOf<Methods['overview']> {
  const kept = keptByKind(opened);
  const due = allDue(opened, clock());
  return {
    retention: opened.policy.read().retention,
    kinds: retentionKinds.map((kind) => ({
      kind,
      count: kept[kind].length,
      bytes: kept[kind].reduce((sum, { bytes }) => sum + bytes, 0),
      due: due.filter((item) => item.kind === kind).length,
    })),
    due: due.slice(0, mostPerAct),
  };
}

export function showSubject(
  { open, note, logIndex }: CallContext,
  { subject }: InputOf<Methods['showSubject']>,
): ResultOf<Methods['showSubject']> {
  const { keptData, runs } = open();
  const found = keptData.of(subject);
  const { commitment } = commitTo(subject, found.key, logIndex);
  found.key.key.fill(0);
  note({ objects: [{ type: 'subject', id: 'commitment', digest: commitment }] });
  return {
    runs: found.runs.map(({ runId, rows, since }) => {
      const { summary } = runs.show(runId);
      return { runId, model: summary.model, version: summary.version, keptAt: since, rows };
    }),
    rows: found.runs.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** What a killed program or a full disk has left of erasures that were decided. Safe to repeat. */
export async function completeErasures({ vault, runs }: OpenStores): Promise<void> {
  const { catalog, records } = vault;
  await vault.objects.finishErasures();
  const runIds = leftToDo(catalog, 'run');
  if (runIds.length === 0) return;
  for (const left of runs.unfinished(runIds)) removeUnfinished({ ...left, canGoOn: false });
  runs.erase(runIds);
  step('erase: records of runs removed');
  scrub(records);
  step('erase: no copy of the records is left');
  doneWith(catalog, 'run', runIds);
}

async function erase(
  context: CallContext,
  act: (opened: OpenVaultState) => readonly [Destroyed, ActFacts],
): Promise<EraseResult> {
  const { since, receipt, ...destroyed } = atOnce(context, act);
  step('erase: keys destroyed');
  // The keys are gone whatever happens now: a disk that is full here must not read as an erasure that failed.
  const complete = await completeErasures(context.open()).then(
    () => true,
    () => false,
  );
  return {
    ...destroyed,
    remaining: 0,
    complete,
    backups: since === undefined ? [] : copiesSince(context.open(), since),
    receipt: receipt ?? null,
  };
}

/** Backups that may hold a key that was made then: they were made of the vault as it was before. */
function copiesSince({ backups }: OpenVaultState, since: string): EraseResult['backups'] {
  return backups
    .list()
    .filter(({ finishedAt }) => finishedAt === undefined || finishedAt >= since)
    .map(({ id, snapshot, startedAt, places }) => ({
      name: snapshot === undefined ? `unfinished backup ${id}` : `snapshot ${snapshot}`,
      at: startedAt,
      place: places.length === 0 ? 'where this vault was restored from' : places.join(', '),
    }));
}

function destroyVersion(
  opened: OpenVaultState,
  version: string,
  reason: string,
): { readonly destroyed: Destroyed; readonly facts: ActFacts } {
  const { registry, runs, vault, session } = opened;
  const { model, version: number } = registry.resolve(version);
  const name = `${model}@${number}`;
  if (runs.isRunning({ model, version: number }))
    throw new AppError(
      'busy',
      `${name} is scoring a file, and nothing was erased. Wait for the run or cancel it.`,
    );
  const objectIds = registry.objectsOf(name);
  const { digest, from } = registry.lifecycle.erase({ version: name, actor: session.user, reason });
  const erased = vault.objects.destroyKeys(objectIds);
  leaveToDo(vault.catalog, 'scrub');
  return {
    destroyed: {
      ...erased,
      files: erased.keys,
      rows: 0,
      erased: [name],
      message: `${name} is erased: ${plural(erased.keys, 'key')} destroyed. Its row, its approvals and the log stay.`,
    },
    facts: {
      objects: [{ type: 'version', id: name, digest }],
      details: { from, to: 'erased', keys: erased.keys, bytes: erased.bytes },
    },
  };
}

function destroyDue(
  opened: OpenVaultState,
  { kind, id }: DueItem,
  act: { readonly reason: string; readonly at: string },
): Destroyed {
  const { keptData, vault } = opened;
  if (versionKinds.has(kind)) return destroyVersion(opened, id, act.reason).destroyed;
  const nothing = { keys: 0, files: 0, bytes: 0, rows: 0, since: undefined };
  const erased = keptData.eraseRun(id, act.at) ?? nothing;
  if (kind === 'runRecords') {
    keptData.forget(id);
    leaveToDo(vault.catalog, 'run', id);
  }
  return { ...erased, erased: [id], message: '' };
}

const retentionKinds = [
  'keptData',
  'runRecords',
  'retiredVersions',
  'rejectedVersions',
] as const satisfies readonly RetentionKind[];
const versionKinds: ReadonlySet<RetentionKind> = new Set(['retiredVersions', 'rejectedVersions']);

function keptByKind({
  keptData,
  runs,
  registry,
}: OpenVaultState): Record<RetentionKind, (KeptItem & { readonly bytes: number })[]> {
  const versions = (stage: 'retired' | 'rejected'): (KeptItem & { bytes: number })[] =>
    registry
      .staying([stage])
      .map(({ model, version, since, bytes }) => ({ id: `${model}@${version}`, since, bytes }));
  return {
    keptData: keptData.list().map(({ runId, since, bytes }) => ({ id: runId, since, bytes })),
    runRecords: runs.ended().map(({ runId, since }) => ({ id: runId, since, bytes: 0 })),
    retiredVersions: versions('retired'),
    rejectedVersions: versions('rejected'),
  };
}

function allDue(opened: OpenVaultState, now: Date): DueItem[] {
  return dueItems(opened.policy.read().retention, keptByKind(opened), now);
}
