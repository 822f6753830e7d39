/** What the handlers are made from. */
import { AppError } from '#shared/errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { Keychain } from '#platform/keychain.ts';
import { isInside } from '#platform/paths.ts';
import type { Inference } from '#domain/inference/index.ts';
import type { FileTokens } from '#domain/media/index.ts';
import type { Operations } from '../operations.ts';
import type { PinGuard } from '../pin-guard.ts';
import type { Serving } from '../serving.ts';
import type { Sessions } from '../sessions.ts';

export interface AppParts {
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
  readonly serving: Serving;
}

export interface HandlerDeps extends AppParts {
  readonly pathOf: (token: string) => string;
  /** Where something is to be written: never among the vault's own files, because it is in the clear. */
  readonly folderOf: (token: string) => string;
}

export function handlerDeps(parts: AppParts): HandlerDeps {
  const { pathOf } = parts.tokens;
  return {
    ...parts,
    pathOf,
    folderOf(token) {
      const path = pathOf(token);
      if (isInside(path, parts.vaultDir))
        throw new AppError(
          'invalid-input',
          'This folder belongs to the vault, and results are not encrypted. Choose another folder.',
        );
      return path;
    },
  };
}
