/** `strongroom verify OUTPUT.receipt.json`: the receipt of a run, and the files that it names where they lie beside it. */
import { createHash } from 'node:crypto';
import { constants, lstat, open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { verdictOf, type Check, type Trust } from '#domain/audit/index.ts';
import {
  plainName,
  receiptPredicate,
  receiptStatement,
  type ReceiptStatement,
} from '#domain/runs/index.ts';
import { folderSha256 } from '#domain/tables/index.ts';
import { checkStatement, hasPredicate, type StatementKind } from './signed-statement.ts';

const kind: StatementKind<ReceiptStatement> = {
  kind: 'receipt',
  called: 'a receipt',
  schema: receiptStatement,
  keyHistory: ({ predicate }) => predicate.log.keyHistory,
  describe({ predicate }) {
    const { runId, model, input, counts, by, resumedBy = [], finishedAt, log } = predicate;
    const resumed = resumedBy.length === 0 ? '' : `, resumed by ${resumedBy.join(', ')}`;
    return `Run ${runId}: ${model.name}@${model.version} (sha256:${model.digest.sha256}) scored ${counts.rows} rows of ${input.name} (${input.format}, sha256:${input.digest.sha256}) and rejected ${counts.rejected}, for ${by}${resumed}, finished ${finishedAt}, entry ${log.index} of the log.${outside(counts)}`;
  },
};

function outside({ outOfRange = [] }: ReceiptStatement['predicate']['counts']): string {
  if (outOfRange.length === 0) return '';
  const each = outOfRange.map(({ column, rows }) => `${column} in ${rows}`).join(', ');
  return ` Outside of what the model states, and scored: ${each}.`;
}

export function looksLikeReceipt(text: string): boolean {
  return hasPredicate(text, receiptPredicate);
}

/**
 * A file of the run that is not beside the receipt could not be checked: its digest is told, and the reader compares it. What was
 * read is often elsewhere by then, so the receipt holds without it, and the answer says that nobody looked.
 */
export async function verifyReceipt(
  text: string,
  trust: Trust,
  at: { readonly folder: string; readonly input: string | undefined },
): Promise<FileVerdict> {
  const { verdict, statement } = checkStatement(text, kind, trust);
  if (statement === undefined) return verdict;
  const { subject, predicate } = statement;
  const files: Check[] = [];
  for (const written of subject)
    files.push(
      await compared(written, join(at.folder, written.name), {
        name: 'file',
        did: 'wrote',
        called: written.name,
      }),
    );
  const read = predicate.input;
  const beside = plainName.safeParse(read.name).success ? join(at.folder, read.name) : undefined;
  // A run may have written its result under the name of its input, in another folder.
  const isOther = beside === undefined || subject.some(({ name }) => name === read.name);
  const path = at.input ?? (isOther || !(await isThere(beside)) ? undefined : beside);
  if (path === undefined)
    return verdictOf(
      'receipt',
      [...verdict.checks, ...files],
      [
        `The input, ${read.name} with sha256:${read.digest.sha256}, was not at hand and was not compared.`,
      ],
    );
  const input = await compared(read, path, {
    name: 'input',
    did: 'read',
    called: at.input === undefined ? read.name : basename(path),
    isFolder: read.format === 'images' || read.format === 'texts',
  });
  return verdictOf('receipt', [...verdict.checks, ...files, input]);
}

/** Whether the file or folder at `path` is the one that the run wrote or read. */
async function compared(
  { digest }: { readonly digest: ReceiptStatement['subject'][number]['digest'] },
  path: string,
  words: {
    readonly name: string;
    readonly did: 'wrote' | 'read';
    readonly called: string;
    readonly isFolder?: boolean;
  },
): Promise<Check> {
  const { name, did, called, isFolder = false } = words;
  const what = isFolder ? 'folder' : 'file';
  const found = await sha256Of(path, isFolder);
  if ('missing' in found)
    return {
      name,
      ok: null,
      detail: `${called} ${found.missing}, so it was not compared. The run ${did} one with sha256:${digest.sha256}.`,
    };
  const same = found.sha256 === digest.sha256;
  return {
    name,
    ok: same,
    detail: same
      ? `${called} is the ${what} that the run ${did}.`
      : `${called} is not the ${what} that the run ${did}: it has sha256:${found.sha256} in place of sha256:${digest.sha256}.`,
  };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Or why there is none. What is no plain file is not read: a pipe would keep whoever reads it waiting for ever. */
async function sha256Of(
  path: string,
  isFolder: boolean,
): Promise<{ readonly sha256: string } | { readonly missing: string }> {
  try {
    if (isFolder)
      return (await stat(path)).isDirectory()
        ? { sha256: await folderSha256(path) }
        : { missing: 'is there but no folder' };
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!(await file.stat()).isFile()) return { missing: 'is there but no plain file' };
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 }))
      hash.update(chunk as Uint8Array);
    return { sha256: hash.digest('hex') };
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return {
      missing: isGone ? 'is not beside the receipt' : 'is there but cannot be read',
    };
  }
}
