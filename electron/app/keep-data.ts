/** Keeping what went into a run and what came out of it, encrypted; and writing it out again. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { openCsv } from '#platform/csv.ts';
import { step } from '#platform/steps.ts';
import type { Inference, ScoreOutcome } from '#domain/inference/index.ts';
import { csvLine, openRows, sealRows, type SealedCounts } from '#domain/kept-data/index.ts';
import type { Dialect, TableFormat, TableInfo } from '#domain/tables/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import type { StagedObject } from '#domain/vault/index.ts';
import type { CallContext } from './handler.ts';
import { readPipeline } from './model-access.ts';

export interface Keeping {
  readonly runId: string;
  /** Undefined: the files are kept whole. */
  readonly subject: string | undefined;
  readonly at: string;
}

/** What is to be kept, checked before a row is scored; undefined when nothing is. */
export async function planKeeping(
  context: CallContext,
  version: ResolvedVersion,
  asked: {
    readonly runId: string;
    readonly keep: boolean;
    readonly subject: string | undefined;
    readonly inputPath: string;
    readonly format: TableFormat | undefined;
    readonly dialect: Partial<Dialect>;
    readonly at: string;
  },
  inference: Pick<Inference, 'preview'>,
): Promise<Keeping | undefined> {
  const { runId, keep, at } = asked;
  if (!keep) {
    if (asked.subject === undefined) return undefined;
    throw new AppError(
      'invalid-input',
      'A subject column takes effect where rows are kept (keep).',
    );
  }
  const { vault } = context.open();
  const pipeline = await readPipeline(vault, version);
  const subject = asked.subject ?? pipeline?.subject;
  const { size } = await stat(asked.inputPath);
  await vault.objects.requireSpace(2 * size);
  const { inputs } = version.facts;
  const { info, ...file } = await inference.preview({ ...asked, inputs, pipeline });
  requireKeepable(info, subject);
  if (subject === undefined) return { runId, subject, at };
  if (!file.columns.includes(subject))
    throw new AppError(
      'invalid-input',
      `The file has no column ${subject} to tell whom a row is about. Nothing was scored.`,
    );
  if (!file.unusedColumns.includes(subject))
    throw new AppError(
      'invalid-input',
      `The column ${subject} is an input of the model, so its values would stand in the profile of the run. Choose a column that only names people.`,
    );
  return { runId, subject, at };
}

/** What is kept is a CSV again when it is exported; its rows are told apart as UTF-8 with the usual delimiters. */
function requireKeepable({ format, dialect }: TableInfo, subject: string | undefined): void {
  if (format !== 'csv')
    throw new AppError(
      'unsupported',
      'Only the rows of a CSV can be kept with a run. Leave that out, or score the same rows as CSV.',
    );
  const usual =
    dialect?.encoding === 'utf-8' && dialect.quote === '"' && /^[,;\t]$/.test(dialect.delimiter);
  if (subject !== undefined && !usual)
    throw new AppError(
      'unsupported',
      'Rows can be kept by person only from a CSV in UTF-8 with comma, semicolon or tab and double quotes. Write it anew like that, or keep the files whole.',
    );
}

/** Stores both files, or neither. Throws `io` when they are not the ones that were scored. */
export async function keepData(
  context: CallContext,
  keeping: Keeping,
  from: {
    readonly outcome: ScoreOutcome;
    readonly inputPath: string;
    readonly predictionsPath: string;
  },
): Promise<void> {
  const { vault, keptData } = context.open();
  const { runId, subject } = keeping;
  const { signal } = context;
  const staged: StagedObject[] = [];
  const counts: SealedCounts = { rows: from.outcome.rows + from.outcome.rejected, leftOut: 0 };
  keptData.begin(keeping);
  step('run: its kept data is announced');
  try {
    context.report({ step: 'Keeping the rows', done: 0, unit: 'rows' });
    const input = hashedFile(from.inputPath, from.outcome.inputSha256);
    const predictions = hashedFile(from.predictionsPath, from.outcome.outputSha256);
    if (subject === undefined) {
      for (const source of [input, predictions])
        staged.push(await vault.objects.stage({ source: source.stream, signal }));
    } else {
      counts.rows = 0;
      using keys = keptData.rowKeys(runId);
      const tables = {
        input: await openCsv(input.stream),
        predictions: await openCsv(predictions.stream, { delimiter: ',' }),
      };
      const source = sealRows({ runId, subject, ...tables }, keys, counts);
      staged.push(await vault.objects.stage({ source, signal }));
    }
    await input.check();
    await predictions.check();
    step('run: its kept data is staged');
    const names = subject === undefined ? (['input', 'predictions'] as const) : (['rows'] as const);
    await vault.objects.commit(staged, () =>
      keptData.complete(runId, {
        files: staged.map((object, at) => ({ name: names[at] ?? 'rows', object })),
        ...counts,
      }),
    );
    step('run: its kept data is stored');
  } finally {
    await vault.objects.discard(staged);
  }
}

/** Decrypts into a new folder, which is removed again when it cannot be completed. */
export async function exportKept(
  context: CallContext,
  runId: string,
  dir: string,
): Promise<{ readonly files: string[]; readonly rows: number; readonly erasedRows: number }> {
  const { vault, runs, keptData } = context.open();
  const { summary } = runs.show(runId);
  const kept = keptData.find(runId);
  if (kept === undefined) throw new AppError('not-found', 'This run has kept no data.');
  if (kept.state === 'erased')
    throw new AppError(
      'conflict',
      `The data of this run was erased on ${kept.erasedAt?.slice(0, 10) ?? ''}: its keys are destroyed, and nobody can read it any more.`,
    );
  context.note({ objects: [{ type: 'version', id: `${summary.model}@${summary.version}` }] });
  await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new AppError(
      'conflict',
      'There is a file or folder of that name already. Choose another name.',
    );
  });
  try {
    let erasedRows = 0;
    let rows = 0;
    for (const file of keptData.files(runId)) {
      const object = await vault.objects.open(file.objectId);
      try {
        if (file.name === 'rows')
          ({ rows, erasedRows } = await writeRows(context, object.stream(), dir));
        else {
          await using output = await open(join(dir, `${file.name}.csv`), 'wx', 0o600);
          for await (const chunk of object.stream()) {
            context.signal.throwIfAborted();
            await output.writeFile(chunk);
          }
          await output.sync();
          ({ rows } = kept);
        }
      } finally {
        await object.close();
      }
    }
    context.note({ details: { rows, erasedRows } });
    return { files: ['input.csv', 'predictions.csv'], rows, erasedRows };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

const flushLength = 256 * 1024;
/** One chunk of rows is one transaction over the keys of its people: few syncs, and few rows in memory. */
const chunkBytes = 256 * 1024;

async function writeRows(
  context: CallContext,
  source: AsyncIterable<Uint8Array>,
  dir: string,
): Promise<{ readonly rows: number; readonly erasedRows: number }> {
  const { keptData } = context.open();
  const kept = await openRows(source, keptData.keyOf);
  await using input = await open(join(dir, 'input.csv'), 'wx', 0o600);
  await using predictions = await open(join(dir, 'predictions.csv'), 'wx', 0o600);
  let texts = [csvLine(kept.input), csvLine(kept.predictions)] as [string, string];
  const flush = async (): Promise<void> => {
    context.signal.throwIfAborted();
    await input.writeFile(texts[0]);
    await predictions.writeFile(texts[1]);
    texts = ['', ''];
  };
  let rows = 0;
  let erasedRows = 0;
  for await (const row of kept.rows()) {
    if (row === undefined) erasedRows += 1;
    else {
      rows += 1;
      texts[0] += csvLine(row.input);
      if (row.predictions !== undefined) texts[1] += csvLine(row.predictions);
    }
    if (texts[0].length + texts[1].length > flushLength) await flush();
    if ((rows + erasedRows) % 10_000 === 0)
      context.report({ step: 'Writing', done: rows + erasedRows, unit: 'rows' });
  }
  await flush();
  await input.sync();
  await predictions.sync();
  return { rows, erasedRows };
}

/** A file as a stream that knows afterwards whether it was the one that was scored. */
function hashedFile(
  path: string,
  sha256: string,
): { readonly stream: AsyncGenerator<Uint8Array>; check(): Promise<void> } {
  const hash: Hash = createHash('sha256');
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
      hash.update(chunk as Uint8Array);
      yield chunk as Uint8Array;
    }
  }
  const stream = chunks();
  return {
    stream,
    async check() {
      for await (const _chunk of stream); // what a reader of rows left at the end
      if (hash.digest('hex') !== sha256)
        throw new AppError(
          'io',
          'The input changed while it was read, so nothing of the run was kept. Try again with a file that nobody writes to.',
        );
    },
  };
}
