/** Backups as the contract speaks of them: paths for tokens, null for what is not known, facts for the log. */
import { AppError } from '#shared/errors.ts';
import type {
  CheckedBackup,
  FoundBackup,
  MadeBackup,
  RememberedBackup,
  RestoredVault,
} from '#shared/contract/backups.ts';
import { isInside } from '#platform/paths.ts';
import type { Clock } from '#platform/clock.ts';
import { compareWithKept, hasHadKey } from '#domain/audit/index.ts';
import {
  checkBackup,
  findBackups,
  makeBackup,
  restoreVault,
  type BackupCheck,
  type RememberedBackup as Remembered,
} from '#domain/custody/index.ts';
import type { CallContext } from './handler.ts';
import type { OpenVaultState } from './open-state.ts';
import type { JobContext } from './operations.ts';

export function rememberedBackups({ backups }: OpenVaultState): RememberedBackup[] {
  return backups.list().map(backupToWire);
}

export async function backUp(
  context: CallContext,
  input: {
    readonly medium: string;
    readonly partBytes: number | undefined;
    readonly mediaBytes: number | undefined;
    readonly spans: boolean;
    readonly continues: boolean;
  },
  deps: { readonly clock: Clock; readonly vaultDir: string },
): Promise<MadeBackup> {
  if (isInside(input.medium, deps.vaultDir))
    throw new AppError(
      'invalid-input',
      'A backup inside the vault would be lost with it. Choose another medium.',
    );
  const { vault, log, backups, session } = context.open();
  const { dir, snapshot, digest, ...made } = await makeBackup(
    {
      vault,
      log,
      history: backups,
      clock: deps.clock,
      settle: (facts) =>
        context.settle({
          objects: [{ type: 'backup', id: String(facts.snapshot), digest: facts.digest }],
          details: { state: 'complete', logSize: facts.logSize },
        }),
    },
    {
      ...input,
      spans: input.spans || input.continues || input.mediaBytes !== undefined,
      by: session.user,
      announced: context.logIndex,
      signal: context.signal,
      onProgress: (done, total) =>
        context.report({ step: 'Writing and reading back', done, total, unit: 'bytes' }),
    },
  );
  context.note({
    details: { backup: made.backupId, state: made.state, writtenBytes: made.writtenBytes },
  });
  return { ...made, path: dir, snapshot: snapshot ?? null, digest: digest ?? null };
}

export async function inspectBackups(dirs: readonly string[]): Promise<FoundBackup[]> {
  return (await findBackups(dirs)).map(({ set, snapshots }) => ({
    vaultId: set.vaultId ?? null,
    pieces: set.pieces.size,
    bytes: [...set.pieces.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    snapshots: snapshots.map(({ number, manifest, problem }) => ({
      number,
      madeAt: manifest?.facts.madeAt ?? null,
      files: manifest?.files.size ?? null,
      bytes: manifest === undefined ? null : bytesOf([...manifest.files.values()].flat()),
      logSize: manifest?.facts.log.size ?? null,
      digest: manifest?.digest ?? null,
      problem: problem ?? null,
    })),
  }));
}

export async function checkBackups(
  { signal, report }: JobContext,
  input: { readonly dirs: readonly string[]; readonly vaultId: string | undefined },
  opened: OpenVaultState | undefined,
): Promise<CheckedBackup> {
  const { vaultId, snapshots, problems, ...checked } = await checkBackup(input.dirs, {
    vaultId: input.vaultId,
    signal,
    onProgress: (done, total) => report({ step: 'Reading', done, total, unit: 'bytes' }),
  });
  const isOurs = opened !== undefined && opened.vault.id === vaultId && !opened.log.damaged;
  return {
    ...checked,
    status: problems.length === 0 ? 'whole' : 'damaged',
    vaultId: vaultId ?? null,
    snapshots: snapshots.length,
    problems: [...problems],
    ofThisVault: isOurs ? standingOf(opened, snapshots) : null,
  };
}

export async function restore(
  { signal, report }: JobContext,
  input: {
    readonly dirs: readonly string[];
    readonly target: string;
    readonly vaultId: string | undefined;
    readonly snapshot: number | undefined;
  },
  clock: Clock,
): Promise<RestoredVault> {
  const { facts } = await restoreVault({
    ...input,
    clock,
    signal,
    onProgress: (done, total) => report({ step: 'Restoring', done, total, unit: 'bytes' }),
  });
  return {
    path: input.target,
    vaultId: facts.vaultId,
    snapshot: facts.snapshot,
    madeAt: facts.madeAt,
    logSize: facts.log.size,
    logRoot: facts.log.root,
  };
}

function standingOf(
  { vault, log }: OpenVaultState,
  snapshots: BackupCheck['snapshots'],
): NonNullable<CheckedBackup['ofThisVault']> {
  const { verifierKey } = log.head();
  // What cannot be believed is among the problems already.
  const manifests = snapshots.flatMap(({ manifest }) => manifest ?? []);
  if (manifests.some((manifest) => !hasHadKey(vault.audit, manifest.verifierKey, verifierKey)))
    return 'other-key';
  return manifests.every(
    ({ facts }) => compareWithKept(vault.audit, facts.log.checkpoint, verifierKey) === 'extends',
  )
    ? 'yes'
    : 'other-history';
}

function backupToWire(backup: Remembered): RememberedBackup {
  const { finishedAt, places, snapshot, logSize, digest, ...rest } = backup;
  return {
    ...rest,
    places: [...places],
    finishedAt: finishedAt ?? null,
    snapshot: snapshot ?? null,
    logSize: logSize ?? null,
    digest: digest ?? null,
  };
}

function bytesOf(pieces: readonly { readonly bytes: number }[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}
