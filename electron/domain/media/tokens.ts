/**
 * File tokens: the only names for files that callers outside the core have. A token is random, lives as long as the core
 * and stands for one path that the core itself offered or that the host's own dialog picked.
 */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { AppError } from '#shared/errors.ts';

export interface FileTokens {
  admit(path: string): string;
  pathOf(token: string): string;
}

export function createFileTokens(): FileTokens {
  const pathByToken = new Map<string, string>();
  const tokenByPath = new Map<string, string>();
  return {
    admit(path) {
      const absolute = resolve(path);
      const known = tokenByPath.get(absolute);
      if (known !== undefined) return known;
      const token = randomBytes(16).toString('hex');
      pathByToken.set(token, absolute);
      tokenByPath.set(absolute, token);
      return token;
    },
    pathOf(token) {
      const path = pathByToken.get(token);
      if (path === undefined) {
        throw new AppError('not-found', 'This file is not known any more. Open its folder again.');
      }
      return path;
    },
  };
}
