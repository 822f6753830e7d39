/** The CLI's link to the core: the typed client, file tokens for paths, and jobs awaited with progress. */
import { stat, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { makeFolder } from '#platform/make-folder.ts';
import { AppError } from '#shared/errors.ts';
import { contract, type AppClient } from '#shared/contract/index.ts';
import { createClient, type Started } from '#shared/rpc.ts';
import type { z } from 'zod';
import { isInside } from '#platform/paths.ts';
import { createApp, type App } from '../app/create-app.ts';
import { pinsDirOf, readPassword, userOf, vaultDirOf, type GlobalOptions } from './settings.ts';
import type { Output } from './output.ts';

export interface Connection {
  readonly client: AppClient;
  /** Token of an existing file or folder. */
  file(path: string): Promise<string>;
  /** Token of the folder that shall hold `path`, and its name there. */
  target(path: string): Promise<{ readonly folder: string; readonly name: string }>;
  /** A small text for somebody outside: never over another file, never into the vault. */
  write(path: string, text: string, kind?: 'secret'): Promise<void>;
  onEvent: App['onEvent'];
  /** Waits for a job, showing its progress; its result is checked against the method's output. */
  wait<O extends z.ZodType>(
    declared: { readonly output: O },
    started: Promise<Started>,
  ): Promise<z.infer<O>>;
  /** Returns the password, for acts that ask for it once more. */
  signIn(): Promise<string>;
  close(): Promise<void>;
}

/** Asked to end, a job is cancelled and cleans up; a second signal ends the process at once. */
export const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function connect(options: GlobalOptions, output: Output): Connection {
  const app: App = createApp({
    vaultDir: vaultDirOf(options),
    pinsDir: pinsDirOf(options),
    host: 'cli',
  });
  const client = createClient(contract, app.dispatch);
  const outside = (path: string): string => {
    const absolute = resolve(path);
    if (isInside(absolute, vaultDirOf(options)))
      throw new AppError(
        'invalid-input',
        'This folder belongs to the vault, and results are not encrypted. Choose another folder.',
      );
    return absolute;
  };
  return {
    client,
    async file(path) {
      await stat(path).catch((cause: unknown) => {
        throw new AppError('not-found', `There is no file or folder ${path}.`, { cause });
      });
      return app.admitFile(path);
    },
    async target(path) {
      const absolute = outside(path);
      await makeFolder(dirname(absolute));
      return { folder: app.admitFile(dirname(absolute)), name: basename(absolute) };
    },
    onEvent: app.onEvent,
    async write(path, text, kind) {
      await writeFile(outside(path), text, {
        flag: 'wx',
        mode: kind === 'secret' ? 0o600 : 0o644,
      }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        throw new AppError(
          'conflict',
          `There is a file ${path} already, and it stays as it is. Choose another name.`,
        );
      });
    },
    async wait(declared, started) {
      const { operationId } = await started;
      const cancel = (): void => void client.operations.cancel({ operationId });
      for (const signal of endings) process.once(signal, cancel);
      try {
        const operation = await app.settled(operationId, output.progress);
        output.progressDone();
        if (operation.error !== null) {
          const { code, message, details } = operation.error;
          throw new AppError(code, message, details === undefined ? {} : { details });
        }
        return declared.output.parse(operation.result);
      } finally {
        for (const signal of endings) process.off(signal, cancel);
      }
    },
    async signIn() {
      const user = userOf(options);
      const password = await readPassword(options);
      await client.vault.signIn({ user, password });
      return password;
    },
    close: app.close,
  };
}
