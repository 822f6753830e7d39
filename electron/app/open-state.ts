/** Everything that exists while the vault is open, built once from its three databases. */
import type { Session } from '#shared/contract/vault.ts';
import type { Clock } from '#platform/clock.ts';
import { auditSchema, openLog, renewLogKey, type AuditLog } from '#domain/audit/index.ts';
import { createBackupHistory, custodySchema, type BackupHistory } from '#domain/custody/index.ts';
import {
  createPolicy,
  createTrustList,
  createUsers,
  identitySchema,
  trustSchema,
  type Policy,
  type TrustList,
  type Users,
} from '#domain/identity/index.ts';
import { createKeptData, keptDataSchema, type KeptDataStore } from '#domain/kept-data/index.ts';
import {
  bindingSchema,
  createRegistry,
  registrySchema,
  verdictSchema,
  type Registry,
} from '#domain/registry/index.ts';
import { createReasonTexts, reasonsSchema, type ReasonTextsStore } from '#domain/reasons/index.ts';
import { createRunStore, receiptSchema, runsSchema, type RunStore } from '#domain/runs/index.ts';
import {
  vaultCatalogSchema,
  vaultErasureSchema,
  type OpenVault,
  type VaultSchema,
} from '#domain/vault/index.ts';
import { createModelOutlines, type ModelOutlines } from './model-outlines.ts';
import type { RolledBack } from './pin-guard.ts';
import { readMemory, seenLogSchema } from './seen-log.ts';
import { doneActsSchema } from './unfinished-acts.ts';

export interface OpenVaultState {
  readonly vault: OpenVault;
  readonly log: AuditLog;
  readonly users: Users;
  readonly trust: TrustList;
  readonly policy: Policy;
  readonly registry: Registry;
  readonly runs: RunStore;
  readonly reasonTexts: ReasonTextsStore;
  readonly backups: BackupHistory;
  /** Set while the vault is older than the pin of this computer. */
  readonly rolledBack?: RolledBack | undefined;
  readonly keptData: KeptDataStore;
  readonly outlines: ModelOutlines;
  readonly session: Session & { readonly id: string };
}

const noteAlgorithms = { standard: 'ed25519', fips: 'ecdsa-p256' } as const;

export const vaultSchema: VaultSchema = {
  catalog: [
    ...vaultCatalogSchema,
    ...identitySchema,
    ...registrySchema,
    ...doneActsSchema,
    ...seenLogSchema,
    ...custodySchema,
    // What was added later stands last: databases count their steps.
    ...trustSchema,
    ...vaultErasureSchema,
    ...keptDataSchema,
    ...verdictSchema,
    ...reasonsSchema,
    ...bindingSchema,
  ],
  audit: auditSchema,
  records: [...runsSchema, ...seenLogSchema, ...receiptSchema],
  renewAudit: (audit, { vaultId, profile, clock }) =>
    renewLogKey(audit, { vaultId, algorithm: noteAlgorithms[profile], clock }),
};

export type OpenStores = Omit<OpenVaultState, 'session'>;

export function createOpenStores(
  vault: OpenVault,
  deps: { readonly clock: Clock; readonly host: string },
): OpenStores {
  const { clock } = deps;
  const trust = createTrustList(vault.catalog, clock);
  return {
    vault,
    log: openLog({
      db: vault.audit,
      clock,
      host: deps.host,
      vaultId: vault.id,
      algorithm: noteAlgorithms[vault.profile],
      memory: readMemory(vault),
    }),
    users: createUsers({ db: vault.catalog, slots: vault.slots, clock }),
    trust,
    policy: createPolicy(vault.catalog, trust),
    registry: createRegistry(vault.catalog, { clock, signerTrustOf: trust.stateOf }),
    runs: createRunStore(vault.records),
    reasonTexts: createReasonTexts(vault.catalog, clock),
    backups: createBackupHistory(vault.catalog, clock),
    keptData: createKeptData(vault),
    outlines: createModelOutlines(vault),
  };
}

/** Who acts, for a log entry. */
export function actorOf({ session }: Pick<OpenVaultState, 'session'>): {
  readonly actor: string;
  readonly role: string;
  readonly session: string;
} {
  return { actor: session.user, role: session.role, session: session.id };
}
