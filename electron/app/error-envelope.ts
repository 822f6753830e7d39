/** From whatever was thrown to what may cross the boundary: known errors as they are, file-system ones named, the rest generic. */
import { randomBytes } from 'node:crypto';
import { AppError, type ErrorBody } from '#shared/errors.ts';

const systemSentences: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Nothing was lost; make room and try again.',
  EDQUOT: 'The disk quota is used up. Nothing was lost; make room and try again.',
  EACCES: 'This program may not read or write there. Check the permissions of the folder.',
  EPERM: 'This program may not read or write there. Check the permissions of the folder.',
  EROFS: 'The medium is read-only. Choose another folder.',
  ENOENT: 'A file or folder is not there any more. Was the drive taken out?',
  ENOTDIR: 'A part of the path is a file, not a folder.',
  EISDIR: 'A folder stands where a file was expected.',
  EIO: 'The medium reports a read or write error. Try another medium.',
  ENODEV: 'The drive is not there any more.',
  ENAMETOOLONG: 'The name is too long for this medium. Choose a shorter one.',
  ELOOP: 'The path is a link that leads in a circle, or to nothing.',
  EEXIST: 'Something of that name is there already. Choose another name.',
  EBUSY: 'The file or drive is in use by another program.',
  EFBIG: 'The file is larger than the medium can hold.',
  EINVAL: 'The medium does not take this name or file.',
  ERR_FS_FILE_TOO_LARGE: 'The file is too large to be what was asked for.',
  EMFILE: 'Too many files are open. Close other programs and try again.',
};

export function errorToBody(error: unknown): ErrorBody {
  if (error instanceof AppError) return error.toBody();
  const code = systemCode(error);
  const sentence = code === undefined ? undefined : systemSentences[code];
  if (code !== undefined && sentence !== undefined) {
    return {
      code: code === 'ENOENT' ? 'not-found' : 'io',
      message: sentence,
      details: { system: code },
    };
  }
  if (code !== undefined && /^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return {
      code: 'corrupt',
      message:
        'A database of the vault is damaged. Nothing was changed; restore the vault from a copy.',
      details: { system: code },
    };
  }
  const id = randomBytes(4).toString('hex');
  logInternal(id, error);
  return {
    code: 'internal',
    message: `Something went wrong inside Strongroom (report ${id}). The vault is as it was before this step.`,
    details: { report: id },
  };
}

/** Databases name their errors differently for what the system says. */
const systemCodeByPrefix: readonly (readonly [string, string])[] = [
  ['SQLITE_FULL', 'ENOSPC'],
  ['SQLITE_IOERR', 'EIO'],
  ['SQLITE_READONLY', 'EROFS'],
  ['SQLITE_CANTOPEN', 'EACCES'],
];

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return undefined;
  const { code } = error;
  return systemCodeByPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? code;
}

/** The stack goes to stderr only: it names code, never values, because messages never hold any. */
function logInternal(id: string, error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : typeof error;
  process.stderr.write(`strongroom: internal error ${id}\n${stack}\n`);
}
