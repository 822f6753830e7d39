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
    return `Run ${runId}: ${model.name}@${model.version} (sha256:${model.digest.sha256}) scored ${counts.rows} rows of ${input.name} (${input.format}, sha256:${input.digest.sha256}) and rejected ${counts.rejected}, for ${by}, finished ${finishedAt}, entry ${log.index} of the log.`;
  },
};

export function looksLikeReceipt(text: string): boolean {
  return hasPredicate(text, receiptPredicate);
}

/** A file that is not beside the receipt fails nothing: its digest is told, and the reader compares it. */
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
  if (found === undefined)
    return {
      name: 'file',
      ok: true,
      detail: `${name} is not beside the receipt, so it was not compared. It has sha256:${digest.sha256}.`,
    };
  const same = found === digest.sha256;
  return {
    name: 'file',
    ok: same,
    detail: same
      ? `${name} is the file that the run wrote.`
      : `${name} is not the file that the run wrote: it has sha256:${found} in place of sha256:${digest.sha256}.`,
  };
}

/** Undefined when there is no such file. */
async function sha256Of(path: string): Promise<string | undefined> {
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const opened = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  await using file = opened;
  if (file === undefined || !(await file.stat()).isFile()) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
