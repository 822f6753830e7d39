/** `strongroom verify OUTPUT.receipt.json`: the receipt of a run, and the files that it names where they lie beside it. */
import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileVerdict } from '#shared/contract/audit.ts';
import { verdictOf, type Check, type Trust } from '#domain/audit/index.ts';
import { receiptPredicate, receiptStatement, type ReceiptStatement } from '#domain/runs/index.ts';
import { checkStatement, hasPredicate, type StatementKind } from './signed-statement.ts';

const kind: StatementKind<ReceiptStatement> = {
  kind: 'receipt',
  called: 'a receipt',
  schema: receiptStatement,
  keyHistory: ({ predicate }) => predicate.log.keyHistory,
  describe({ predicate }) {
    const { runId, model, input, counts, by, finishedAt, log } = predicate;
    return `Run ${runId}: ${model.name}@${model.version} (sha256:${model.digest.sha256}) scored ${counts.rows} rows of ${input.name} (${input.format}, sha256:${input.digest.sha256}) and rejected ${counts.rejected}, for ${by}, finished ${finishedAt}, entry ${log.index} of the log.${outside(counts)}`;
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

/** A file that is not beside the receipt could not be checked: its digest is told, and the reader compares it. */
export async function verifyReceipt(
  text: string,
  trust: Trust,
  folder: string,
): Promise<FileVerdict> {
  const { verdict, statement } = checkStatement(text, kind, trust);
  if (statement === undefined) return verdict;
  const files: Check[] = [];
  for (const subject of statement.subject) files.push(await fileCheck(subject, folder));
  return verdictOf('receipt', [...verdict.checks, ...files]);
}

async function fileCheck(
  { name, digest }: ReceiptStatement['subject'][number],
  folder: string,
): Promise<Check> {
  const found = await sha256Of(join(folder, name));
  if ('missing' in found)
    return {
      name: 'file',
      ok: null,
      detail: `${name} ${found.missing}, so it was not compared. The run wrote one with sha256:${digest.sha256}.`,
    };
  const same = found.sha256 === digest.sha256;
  return {
    name: 'file',
    ok: same,
    detail: same
      ? `${name} is the file that the run wrote.`
      : `${name} is not the file that the run wrote: it has sha256:${found.sha256} in place of sha256:${digest.sha256}.`,
  };
}

/** Or why there is none. What is no plain file is not read: a pipe would keep whoever reads it waiting for ever. */
async function sha256Of(
  path: string,
): Promise<{ readonly sha256: string } | { readonly missing: string }> {
  try {
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!(await file.stat()).isFile())
      return { missing: 'is beside the receipt but no plain file' };
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 2 ** 20 }))
      hash.update(chunk as Uint8Array);
    return { sha256: hash.digest('hex') };
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return {
      missing: isGone ? 'is not beside the receipt' : 'is beside the receipt but cannot be read',
    };
  }
}
