/** The registry as the rest of the product sees it: models, immutable versions, their history. */
import type {
  HistoryEvent,
  ModelSummary,
  VersionDetail,
  VersionSummary,
} from '#shared/contract/models.ts';
import type { Stage } from '#shared/contract/stage.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { cardOf, rowToDetail, rowToSummary, type SignerTrustOf } from './describe-version.ts';
import { readBinding, writeBinding, type StoredBinding } from './bindings.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { resolveVersion } from './resolve.ts';
import {
  findFile,
  objectsOf,
  readFiles,
  readModel,
  readModels,
  readStaying,
  readVersions,
  writeVersion,
  type NewVersion,
  type StoredFile,
  type VersionKey,
} from './store.ts';
import { readVerdict, writeVerdict, type NewVerdict, type StoredVerdict } from './verdicts.ts';

export type ModelOverview = Omit<ModelSummary, 'lastRunAt' | 'monitorState'>;

export interface AliasInterval {
  readonly alias: string;
  readonly version: number;
  readonly from: string;
  readonly to: string | null;
  readonly actor: string;
}

export interface ResolvedVersion extends VersionDetail {
  readonly stored: readonly StoredFile[];
  /** What an analyst saved of the columns that feed it. */
  readonly binding: StoredBinding | undefined;
}

export interface Registry {
  readonly lifecycle: Lifecycle;
  list(): ModelOverview[];
  show(model: string): { readonly summary: ModelOverview; readonly versions: VersionSummary[] };
  resolve(reference: string): ResolvedVersion;
  /** A stored file of any version, by its content. */
  findFile(sha256: string): StoredFile | undefined;
  history(model: string): { readonly events: HistoryEvent[]; readonly aliases: AliasInterval[] };
  /** Objects that nothing else needs when this version is erased. */
  objectsOf(reference: string): string[];
  /** Versions that stand in one of these stages, with the time they entered it. */
  staying(stages: readonly Stage[]): ReturnType<typeof readStaying>;
  /** Call inside the transaction that makes the version's objects live. */
  add(entry: NewVersion): VersionKey;
  /** Keeps the verdict on a bundle that was refused. */
  addRefusal(verdict: NewVerdict): void;
  saveBinding(reference: string, binding: StoredBinding): void;
  verdict(of: { readonly reference: string } | { readonly logIndex: number }): StoredVerdict;
}

export function createRegistry(
  db: Database,
  deps: {
    readonly clock: Clock;
    /** What the signature of a version is worth today; the trust list knows. */
    readonly signerTrustOf: SignerTrustOf;
  },
): Registry {
  const { clock, signerTrustOf } = deps;
  // Nobody else writes to the catalog while it is open, so what was read of a version counts until a row changes.
  const changes = db.prepare<[], number>('SELECT total_changes()').pluck();
  const resolved = new Map<string, ResolvedVersion>();
  let resolvedAt: number | undefined;
  function overview(model: {
    modelId: number;
    name: string;
    description: string | null;
  }): ModelOverview[] {
    const rows = readVersions(db, model.modelId);
    const versions = rows.map((row) => rowToSummary(db, row, signerTrustOf));
    const [newest] = rows;
    const [latest] = versions;
    if (newest === undefined || latest === undefined) return [];
    return [
      {
        name: model.name,
        description: model.description,
        licences: cardOf(newest)?.licences ?? [],
        versions: versions.length,
        latest,
        production: versions.find((version) => version.stage === 'production')?.version ?? null,
        overridden: versions.flatMap(({ version, overridden }) => (overridden ? [version] : [])),
        pending: versions.filter((version) => version.pending !== null).length,
      },
    ];
  }

  return {
    lifecycle: createLifecycle(db, clock),
    list: () => readModels(db).flatMap(overview),
    show(name) {
      const model = readModel(db, name);
      const versions = readVersions(db, model.modelId).map((row) =>
        rowToSummary(db, row, signerTrustOf),
      );
      const [summary] = overview(model);
      if (summary === undefined) throw new Error('A model always has a version.');
      return { summary, versions };
    },
    resolve(reference) {
      const now = changes.get();
      if (now !== resolvedAt) resolved.clear();
      resolvedAt = now;
      const known = resolved.get(reference);
      // A certificate ends without a row that says so.
      if (known !== undefined) return { ...known, signerTrust: signerTrustOf(known.signature) };
      const row = resolveVersion(db, reference);
      const found = {
        ...rowToDetail(db, row, signerTrustOf),
        stored: readFiles(db, row),
        binding: readBinding(db, row),
      };
      // What a transaction that is not over has changed may be taken back, and nothing counts that.
      if (!db.inTransaction) resolved.set(reference, found);
      return found;
    },
    findFile: (sha256) => findFile(db, sha256),
    history(name) {
      const { modelId } = readModel(db, name);
      const events = db
        .prepare<[number], HistoryEvent>(
          `SELECT at, version, kind, from_value AS "from", to_value AS "to", actor, reason
           FROM model_events WHERE model_id = ? ORDER BY event_id DESC`,
        )
        .all(modelId);
      const aliases = db
        .prepare<[number], AliasInterval>(
          `SELECT alias, version, from_at AS "from", to_at AS "to", actor
           FROM alias_intervals WHERE model_id = ? ORDER BY rowid DESC`,
        )
        .all(modelId);
      return { events, aliases };
    },
    objectsOf: (reference) => objectsOf(db, resolveVersion(db, reference)),
    staying: (stages) => readStaying(db, stages),
    add: (entry) => writeVersion(db, entry),
    saveBinding: (reference, binding) => writeBinding(db, resolveVersion(db, reference), binding),
    addRefusal: (verdict) => writeVerdict(db, verdict, undefined),
    verdict: (of) => readVerdict(db, 'reference' in of ? resolveVersion(db, of.reference) : of),
  };
}
