/** Handlers of the vault as a whole, the installation and work under way. */
import type { contract } from '#shared/contract/index.ts';
import { checkInstallation, describeScreenLock, versionOf } from '../doctor.ts';
import type { Handlers } from '../handler.ts';
import { describeKeychain } from '../keychain-unlock.ts';

import type { HandlerDeps } from './deps.ts';

export function systemHandlers(
  deps: HandlerDeps,
): Pick<Handlers<typeof contract>, 'vault' | 'system' | 'operations'> {
  const { sessions, operations } = deps;
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
          ...checkInstallation(deps.serving.port()),
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
