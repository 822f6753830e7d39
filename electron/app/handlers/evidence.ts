/** Handlers of the log, copies of the vault and reports. */
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { contract } from '#shared/contract/index.ts';
import { exportLog, parseKeyHistory } from '#domain/audit/index.ts';
import { verifyFile } from '#domain/compliance/index.ts';
import { backUp, checkBackups, inspectBackups, rememberedBackups, restore } from '../backups.ts';
import type { Handlers } from '../handler.ts';
import { madeReports } from '../made-reports.ts';
import { readCheckpoint, readText } from '../small-files.ts';

import { makeReport } from '../make-report.ts';
import { verifyOwnLog } from '../verify-own-log.ts';
import type { HandlerDeps } from './deps.ts';

export function evidenceHandlers(
  deps: HandlerDeps,
): Pick<Handlers<typeof contract>, 'audit' | 'backups' | 'reports'> {
  const { clock, sessions, pathOf, folderOf } = deps;
  return {
    audit: {
      list: ({ open }, filter) => open().log.list(filter),
      verify: async (context, { against }) =>
        verifyOwnLog(
          context,
          await Promise.all((against ?? []).map(async (token) => readCheckpoint(pathOf(token)))),
          deps,
        ),
      acceptPin: (_context, { reason }) => {
        sessions.acceptPin(reason);
        return null;
      },
      checkpoint: ({ open }) => {
        const { log } = open();
        const { checkpoint, size, verifierKey } = log.head();
        const keyHistory = log.keyHistory();
        return {
          text: checkpoint,
          size,
          verifierKey,
          keyHistory: keyHistory === '' ? null : keyHistory,
          earlierKeys: parseKeyHistory(keyHistory).map(({ index, previous }) => ({
            verifierKey: previous.text,
            until: index + 1,
          })),
        };
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
      make: (context, input) =>
        makeReport(context, { ...input, folder: folderOf(input.folder) }, clock),
      verify: async (_context, { file, verifierKey, keyHistory, input }) =>
        verifyFile(pathOf(file), {
          verifierKey,
          ...(input === undefined ? {} : { input: pathOf(input) }),
          ...(keyHistory === undefined ? {} : { keyHistory: await readText(pathOf(keyHistory)) }),
        }),
    },
  };
}
