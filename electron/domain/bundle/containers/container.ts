/**
 * What every kind of container gives: a stream of files, each read once and in order, nothing unpacked to disk. A container
 * throws a `GateBreach` when it is damaged or breaks a rule, so that the caller can show it as a finding.
 */
import { AppError } from '#shared/errors.ts';
import type { Content } from '#platform/content.ts';
import { isSignatureFile } from '../signatures/check.ts';
import { GateBreach } from './breach.ts';
import { printable } from './names.ts';

export interface BundleFile {
  /** Relative, `/` between the parts. */
  readonly path: string;
  /** May be left unread: a medium that can be sought in is then not read there. */
  readonly content: Content;
}

export type Files = AsyncGenerator<BundleFile, void, undefined>;

/** The order of paths where the medium lets one choose: what a signature lists and is held already need not be read. */
export function signaturesFirst(a: string, b: string): number {
  return rank(a) - rank(b);
}

/** An archive may have everything in one folder. */
function rank(path: string): number {
  return isSignatureFile(path.slice(path.indexOf('/') + 1)) ? 0 : 1;
}

/** What a container's own manifest says of the model in it. Nothing of it is verified beyond its digest. */
export interface Declared {
  /** `modelpack` or `modelkit`; undefined for plain containers. */
  readonly layout?: string;
  /** The file, or the folder of the file, that the manifest calls the model. */
  readonly model?: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

/** Content errors of an archive mean that the archive is damaged. */
export function guarded(content: Content, name: string): Content {
  const readInto = content.readInto?.bind(content);
  return {
    ...(readInto === undefined
      ? {}
      : {
          readInto: (buffer: Uint8Array) =>
            readInto(buffer).catch((error: unknown) => {
              throw damageOf(error, name);
            }),
        }),
    async *[Symbol.asyncIterator]() {
      try {
        yield* content;
      } catch (error) {
        throw damageOf(error, name);
      }
    },
  };
}

/** Errors that already say what is wrong stay; an unplugged medium is `io`; all others mean damage. */
export function damageOf(error: unknown, name: string): Error {
  if (error instanceof GateBreach || error instanceof AppError) return error;
  if (isReadError(error))
    return new AppError(
      'io',
      `${printable(name)} could not be read to its end. Was the drive taken out? Nothing was changed; put it back and try again.`,
      { cause: error, details: { medium: 'unreadable' } },
    );
  return damaged(name, error);
}

export function damaged(name: string, cause?: unknown): GateBreach {
  return new GateBreach('SR-BUNDLE-006', printable(name), 'It was damaged or cut off.', { cause });
}

/** Errors of the system below a file, as they come when a medium is pulled or fails. */
export function isReadError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return (
    code !== undefined && /^(EIO|ENODEV|ENXIO|ENOENT|ESTALE|EBADF|ENOMEDIUM|EREMOTEIO)$/.test(code)
  );
}
