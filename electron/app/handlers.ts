/** One line per method of the contract: from the call to the part of the product that does it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { VerifyStatus } from '#shared/contract/audit.ts';
import type { contract } from '#shared/contract/index.ts';
import type { User } from '#shared/contract/users.ts';
import type { Clock } from '#platform/clock.ts';
import type { Keychain } from '#platform/keychain.ts';
import { isInside } from '#platform/paths.ts';
import { exportLog, verifyLog } from '#domain/audit/index.ts';
import { findBundles, generateSigningKey, signFolder } from '#domain/bundle/index.ts';
import { makeProductionHistory, verifyFile } from '#domain/compliance/index.ts';
import { previewFile, type Inference } from '#domain/inference/index.ts';
import { readFolder, readPlaces, type FileTokens } from '#domain/media/index.ts';
import { backUp, checkBackups, inspectBackups, rememberedBackups, restore } from './backups.ts';
import { atOnce, changed } from './catalog-acts.ts';
import { checkFiles, exportFiles } from './custody.ts';
import { checkInstallation, describeScreenLock, versionOf } from './doctor.ts';
import {
  eraseData,
  eraseDue,
  eraseSubject,
  eraseVersion,
  erasureOverview,
  showSubject,
} from './erase.ts';
import type { CallContext, Handlers } from './handler.ts';
import { importBundle } from './import-bundle.ts';
import { inspectBundle } from './inspect-bundle.ts';
import { exportKept } from './keep-data.ts';
import { describeKeychain, keychainState, setKeychain } from './keychain-unlock.ts';
import { madeReports } from './made-reports.ts';
import { readPipeline, requireFiles, requireRunnable } from './model-access.ts';
import { monitorView } from './monitor-view.ts';
import type { OpenVaultState } from './open-state.ts';
import type { Operations } from './operations.ts';
import { rotateKeys } from './rotate-keys.ts';
import { scoreRun } from './score-run.ts';
import type { PinGuard } from './pin-guard.ts';
import { readMemory } from './seen-log.ts';
import { readCheckpoint, readText, writeNew, writeVerdictFolder } from './small-files.ts';
import { type Sessions } from './sessions.ts';

export interface HandlerDeps {
  readonly clock: Clock;
  readonly host: 'electron' | 'chromium' | 'cli';
  readonly vaultDir: string;
  readonly version: string;
  readonly inboxDir: string | undefined;
  readonly tokens: FileTokens;
  readonly sessions: Sessions;
  readonly pins: PinGuard;
  readonly operations: Operations;
  readonly keychain: Keychain;
  readonly inference: Inference;
}

export function createHandlers(deps: HandlerDeps): Handlers<typeof contract> {
  const { clock, tokens, sessions, operations, inference } = deps;
  const pathOf = tokens.pathOf;
  /** Where something is to be written: never among the vault's own files, because it is in the clear. */
  const folderOf = (token: string): string => {
    const path = pathOf(token);
    if (isInside(path, deps.vaultDir))
      throw new AppError(
        'invalid-input',
        'This folder belongs to the vault, and results are not encrypted. Choose another folder.',
      );
    return path;
  };

  return {
    vault: {
      status: () => sessions.status(),
      create: (_context, input) => sessions.create(input),
      signIn: (_context, { user, password }) => sessions.signIn(user, password),
      signInWithKeychain: (_context, { user }) => sessions.signInWithKeychain(user),
      recover: (_context, input) => sessions.recover(input),
      seal: async () => sessions.seal('command').then(() => null),
      touch: () => {
        sessions.touch();
        return null;
      },
    },
    users: {
      list: ({ open }) => open().users.list(),
      add: ({ open, note }, input) => open().users.add(input).then(noted(note)),
      disable: ({ open, note }, { name }) => open().users.disable(name).then(noted(note)),
      enable: ({ open, note }, { name, password }) =>
        open().users.enable(name, password).then(noted(note)),
      role: ({ open, note }, { name, role }) => open().users.setRole(name, role).then(noted(note)),
      password: async ({ open, note }, { name, password }) => {
        const { users, session } = open();
        if (name !== session.user && session.role !== 'administrator')
          throw new AppError(
            'forbidden',
            'Only an administrator sets the password of somebody else.',
          );
        await users.setPassword(name, password);
        note({ objects: [{ type: 'user', id: name }] });
        return null;
      },
    },
    keys: {
      keychain: (context) => keychainState(context, deps.keychain),
      setKeychain: (context, input) => setKeychain(context, input, deps),
      recovery: async ({ open, note }, { shares }) => {
        note({ details: { shares } });
        return { recoveryKey: await open().vault.slots.renewRecovery(shares ?? undefined) };
      },
      rotate: (context, input) => rotateKeys(context, input, { sessions, operations }),
    },
    trust: {
      list: ({ open }) => open().trust.list(),
      add: async (context, { file, reason, ...entry }) => {
        const text = await readText(pathOf(file));
        return atOnce(context, ({ trust, session }) => {
          const { name, role, identity } = entry;
          const added = trust.add({ name, role, identity, text, by: session.user, note: reason });
          return [added, { objects: [{ type: 'key', id: added.keyId }] }];
        });
      },
      remove: (context, { keyId }) =>
        atOnce(context, ({ trust }) => {
          const removed = trust.remove(keyId);
          return [removed, { objects: [{ type: 'key', id: removed.keyId }] }];
        }),
    },
    policy: {
      show: ({ open }) => open().policy.read(),
      set: (context, { reason: _reason, ...changes }) =>
        atOnce(context, ({ policy }) => {
          const before = policy.read();
          const after = policy.change(changes);
          return [after, { details: { before, after } }];
        }),
    },
    media: {
      places: async () =>
        (await readPlaces(deps.inboxDir)).map(
          ({ path, fileSystem, totalBytes, freeBytes, ...place }) => ({
            ...place,
            path,
            token: tokens.admit(path),
            fileSystem: fileSystem ?? null,
            totalBytes: totalBytes ?? null,
            freeBytes: freeBytes ?? null,
          }),
        ),
      list: async (_context, { folder }) => {
        const path = pathOf(folder);
        const { parent, entries } = await readFolder(path);
        return {
          path,
          parent: parent === undefined ? null : tokens.admit(parent),
          entries: entries.map(({ path: at, name, kind, sizeBytes, modifiedAt }) => ({
            token: tokens.admit(at),
            name,
            kind,
            sizeBytes: sizeBytes ?? null,
            modifiedAt: modifiedAt?.toISOString() ?? null,
          })),
        };
      },
      bundles: async (_context, { folder }) => {
        const root = pathOf(folder);
        return (await findBundles(root)).map(({ path, sizeBytes, ...bundle }) => ({
          ...bundle,
          token: tokens.admit(path),
          path: path.slice(root.length + 1),
          sizeBytes: sizeBytes ?? null,
        }));
      },
    },
    bundles: {
      inspect: async (context, { source, trust, sarif }) =>
        inspectBundle(
          context,
          {
            path: pathOf(source),
            trustPaths: (trust ?? []).map(pathOf),
            sarifPath: sarif === undefined ? undefined : join(folderOf(sarif.folder), sarif.name),
          },
          {
            opened: (await sessions.status()).state === 'open' ? sessions.open() : undefined,
            clock,
            version: deps.version,
          },
        ),
      import: (context, { source, ...input }) =>
        importBundle(
          context,
          { ...input, path: pathOf(source) },
          { clock, inference, sessions, version: deps.version },
        ),
      export: async (context, { version, folder, name, since }) => {
        const { registry } = context.open();
        const resolved = registry.resolve(version);
        const base = since === undefined ? undefined : registry.resolve(since);
        requireFiles(resolved);
        const path = join(folderOf(folder), name);
        context.note({
          objects: [
            {
              type: 'version',
              id: `${resolved.model}@${resolved.version}`,
              digest: resolved.digest,
            },
          ],
        });
        return {
          path,
          ...(await exportFiles(context, resolved, path, base)),
          digest: resolved.digest,
        };
      },
      verdict: async ({ open }, { version, entry, folder, name }) => {
        const verdict = open().registry.verdict(
          version === undefined ? { logIndex: entry ?? -1 } : { reference: version },
        );
        const path = join(folderOf(folder), name);
        await writeVerdictFolder(path, verdict);
        return { decision: verdict.decision, path };
      },
      keygen: async (_context, { folder, name, algorithm }) => {
        const { privatePem, publicPem, keyId } = generateSigningKey(algorithm);
        const base = join(folderOf(folder), name);
        await writeNew(`${base}.key.pem`, privatePem, 0o600);
        await writeNew(`${base}.pub.pem`, publicPem, 0o644).catch(async (error: unknown) => {
          await rm(`${base}.key.pem`);
          throw error;
        });
        return { privateKeyPath: `${base}.key.pem`, publicKeyPath: `${base}.pub.pem`, keyId };
      },
      sign: async ({ signal }, { source, key, certificates, ignorePaths, as }) =>
        signFolder(folderOf(source), {
          privatePem: await readText(pathOf(key)),
          certificates:
            certificates === undefined
              ? undefined
              : { pem: await readText(pathOf(certificates)), now: clock() },
          ignorePaths,
          as,
          signal,
        }),
    },
    models: {
      list: ({ open }) => {
        const { registry, runs } = open();
        return registry.list().map((model) => ({ ...model, ...lastRun(runs, model.name) }));
      },
      show: ({ open }, { model }) => {
        const { registry, runs } = open();
        const { summary, versions } = registry.show(model);
        return { summary: { ...summary, ...lastRun(runs, summary.name) }, versions };
      },
      version: ({ open }, { version }) => {
        const { stored: _stored, ...detail } = open().registry.resolve(version);
        return detail;
      },
      diff: ({ open }, { from, to }) => ({ from, to, changes: open().registry.diff(from, to) }),
      history: ({ open }, { model }) => open().registry.history(model),
      promote: (context, { version, to, reason }) =>
        changed(context, ({ registry, policy, session }) =>
          registry.lifecycle.promote({
            version,
            to,
            reason,
            actor: session.user,
            secondPerson: policy.read().secondPerson,
          }),
        ),
      approve: (context, { version, reason }) =>
        changed(context, ({ registry, session }) =>
          registry.lifecycle.approve({ version, reason, actor: session.user }),
        ),
      reject: (context, { version, reason }) =>
        changed(context, ({ registry, session }) =>
          registry.lifecycle.reject({ version, reason, actor: session.user }),
        ),
      rollback: async (context, { model, reason }) => {
        const { registry, vault } = context.open();
        const target = registry.lifecycle.rollbackTarget(model);
        const version = registry.resolve(`${target.model}@${target.version}`);
        await checkFiles(vault, version, context.signal);
        return changed(context, ({ session }) =>
          registry.lifecycle.rollback({ model, reason, actor: session.user }),
        );
      },
      retire: (context, { version, reason }) =>
        changed(context, ({ registry, session }) =>
          registry.lifecycle.retire({ version, reason, actor: session.user }),
        ),
    },
    runs: {
      preview: async ({ open }, { version, input }) => {
        const { registry, vault } = open();
        const resolved = registry.resolve(version);
        requireRunnable(resolved);
        const shown = await previewFile(pathOf(input), {
          inputs: resolved.facts.inputs,
          pipeline: await readPipeline(vault, resolved),
        });
        return {
          model: resolved.model,
          version: resolved.version,
          columns: [...shown.columns],
          rows: shown.rows.map((row) => [...row]),
          binding: [...shown.binding],
          unusedColumns: [...shown.unusedColumns],
          problems: [...shown.problems],
        };
      },
      start: (context, { input, folder, subject, ...asked }) =>
        scoreRun(
          context,
          { ...asked, subject, inputPath: pathOf(input), folder: folderOf(folder) },
          { clock, inference },
        ),
      list: ({ open }, { model, limit }) => open().runs.list({ model, limit }),
      show: ({ open }, { runId }) => {
        const { runs, keptData } = open();
        return { ...runs.show(runId), kept: keptData.find(runId) ?? null };
      },
      export: async (context, { runId, folder, name }) => {
        const path = join(folderOf(folder), name);
        return { path, ...(await exportKept(context, runId, path)) };
      },
    },
    erasure: {
      overview: ({ open }) => erasureOverview(open(), clock),
      version: eraseVersion,
      data: (context, input) => eraseData(context, input, clock),
      subject: eraseSubject,
      due: (context, input) => eraseDue(context, input, clock),
      showSubject,
    },
    monitor: {
      show: ({ open }, input) => monitorView(open(), input),
      setReference: ({ open, note }, { runId }) => {
        const opened = open();
        const { summary } = opened.runs.show(runId);
        const profile = opened.runs.profileOf(runId);
        if (profile === undefined)
          throw new AppError('conflict', 'Only a finished run can be the reference.');
        opened.runs.setReference(summary, {
          source: 'run',
          runId,
          since: clock().toISOString(),
          profile,
        });
        note({ objects: [{ type: 'version', id: `${summary.model}@${summary.version}` }] });
        return monitorView(opened, { version: `${summary.model}@${summary.version}` });
      },
    },
    audit: {
      list: ({ open }, filter) => open().log.list(filter),
      verify: async ({ open, signal, report }, { against }) => {
        const kept = await Promise.all(
          (against ?? []).map((token) => readCheckpoint(pathOf(token))),
        );
        const { vault } = open();
        const look = (checkpoints: readonly string[]): Promise<VerifyStatus> =>
          verifyLog(vault.audit, {
            against: checkpoints,
            sizes: readMemory(vault).sizes,
            signal,
            onProgress: (done, total) =>
              report({ step: 'Verifying', done, total, unit: 'entries' }),
          });
        const pinned = deps.pins.text(vault.id);
        const elsewhere = pinned === undefined ? kept : [...kept, pinned];
        const verdict = await look(elsewhere);
        const isOwn = verdict.status === 'intact' || elsewhere.length === 0;
        sessions.verified({
          status: verdict.status,
          own: isOwn ? verdict.status : (await look([])).status,
        });
        return verdict;
      },
      acceptPin: (_context, { reason }) => {
        sessions.acceptPin(reason);
        return null;
      },
      checkpoint: ({ open }) => {
        const { checkpoint, size, verifierKey } = open().log.head();
        return { text: checkpoint, size, verifierKey };
      },
      prove: ({ open }, { index }) => ({ ...open().log.prove(index), index }),
      export: async ({ open, signal, report, note }, { folder, name }) => {
        const { vault, log } = open();
        const path = join(folderOf(folder), name);
        const exported = await exportLog({ db: vault.audit, log }, path, {
          signal,
          onProgress: (done, total) => report({ step: 'Writing', done, total, unit: 'steps' }),
        }).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST')
            throw new AppError(
              'conflict',
              'There is a file or folder of that name already. Choose another name.',
            );
          throw error;
        });
        note({ details: { entries: exported.entries, root: exported.root } });
        return { path, ...exported };
      },
    },
    backups: {
      list: ({ open }) => rememberedBackups(open()),
      make: (context, { folder, partBytes, mediaBytes, spans, continues }) =>
        backUp(
          context,
          { medium: pathOf(folder), partBytes, mediaBytes, spans, continues },
          { clock, vaultDir: deps.vaultDir },
        ),
      inspect: (_context, { folders }) => inspectBackups(folders.map(pathOf)),
      check: async (context, { folders, vaultId }) =>
        checkBackups(
          context,
          { dirs: folders.map(pathOf), vaultId },
          (await sessions.status()).state === 'open' ? sessions.open() : undefined,
        ),
      restore: (context, { folders, to, vaultId, snapshot }) =>
        restore(
          context,
          {
            dirs: folders.map(pathOf),
            target: to === undefined ? deps.vaultDir : join(folderOf(to.folder), to.name),
            vaultId,
            snapshot,
          },
          clock,
        ),
    },
    reports: {
      list: ({ open }) => madeReports(open()),
      make: async ({ open, note }, { kind, folder, name, model, from, to }) => {
        const opened = open();
        if (model !== undefined) opened.registry.show(model);
        const now = clock();
        const path = join(folderOf(folder), name);
        const made = await makeProductionHistory({
          log: opened.log,
          filter: { model: model ?? null, from: from ?? null, to: to ?? null },
          now,
          actor: opened.session.user,
          name,
        });
        await writeNew(path, made.pdf, 0o644);
        const { digest, entries, logSize } = made;
        note({
          objects: [{ type: 'report', id: kind, digest }],
          details: { name, entries, logSize },
        });
        return {
          kind,
          digest,
          name,
          at: now.toISOString(),
          actor: opened.session.user,
          entries,
          logSize,
          path,
        };
      },
      verify: (_context, { file, verifierKey }) => verifyFile(pathOf(file), { verifierKey }),
    },
    system: {
      info: () => ({
        version: deps.version,
        node: process.versions.node,
        platform: `${process.platform} ${process.arch}`,
        host: deps.host,
        runtime: `onnxruntime ${versionOf('onnxruntime-node')}`,
      }),
      doctor: async () => {
        const { vaultId } = await sessions.status();
        const checks = [
          ...checkInstallation(),
          deps.pins.describe(vaultId ?? undefined),
          await describeKeychain(deps.keychain),
          describeScreenLock(deps.host),
        ];
        return { ok: checks.every(({ ok }) => ok), checks };
      },
    },
    operations: {
      list: () => operations.list(),
      get: (_context, { operationId }) => operations.get(operationId),
      cancel: (_context, { operationId }) => {
        operations.cancel(operationId);
        return null;
      },
    },
  };
}

function noted(note: CallContext['note']): (user: User) => User {
  return (user) => {
    note({
      objects: [{ type: 'user', id: user.name }],
      details: { role: user.role, state: user.state },
    });
    return user;
  };
}

function lastRun(
  runs: OpenVaultState['runs'],
  model: string,
): { lastRunAt: string | null; monitorState: 'ok' | 'watch' | 'act' | 'unknown' } {
  const latest = runs.latest(model);
  return { lastRunAt: latest?.startedAt ?? null, monitorState: latest?.driftState ?? 'unknown' };
}
