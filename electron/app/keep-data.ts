/** Keeping what went into a run and what came out of it, encrypted; and writing it out again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { step } from '#platform/steps.ts';
import type { Inference, ScoreOutcome } from '#domain/inference/index.ts';
import { csvLine, openRows, sealRows, type SealedCounts } from '#domain/kept-data/index.ts';
import { rawNames, type Dialect, type TableFormat, type TableInfo } from '#domain/tables/index.ts';
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

/** Rows by person are texts, whatever they are read from; a file is kept as it is, and a folder is none. */
function requireKeepable({ format }: TableInfo, subject: string | undefined): void {
  if ((format === 'images' || format === 'texts') && subject === undefined)
    throw new AppError(
      'unsupported',
      'A folder cannot be kept whole with a run. Keep its rows by person, with file as the column that names them: then the names and the predictions are kept.',
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
    readonly keepColumns: boolean;
  },
  inference: Pick<Inference, 'joined'>,
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
    if (subject === undefined) {
      for (const source of [
        hashedFile(from.inputPath, from.outcome.inputSha256),
        hashedFile(from.predictionsPath, from.outcome.outputSha256),
      ])
        staged.push(await vault.objects.stage({ source, signal }));
    } else {
      counts.rows = 0;
      using keys = keptData.rowKeys(runId);
      const { table, inputSha256, outputSha256, outputColumns } = from.outcome;
      const rows = inference.joined({
        ...from,
        table,
        inputSha256,
        predictionsSha256: outputSha256,
        signal,
      });
      const input = rawNames(table);
      const [number = 'row', ...results] = outputColumns;
      const predictions = [number, ...(from.keepColumns ? input : []), ...results];
      const source = sealRows({ runId, subject, input, predictions, rows }, keys, counts);
      staged.push(await vault.objects.stage({ source, signal }));
    }
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
  const { summary, result } = runs.show(runId);
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
    const names = { input: 'input.csv', predictions: 'predictions.csv' };
    for (const file of keptData.files(runId)) {
      const object = await vault.objects.open(file.objectId);
      try {
        if (file.name === 'rows')
          ({ rows, erasedRows } = await writeRows(context, object.stream(), dir));
        else {
          // As it was read; what was written is CSV in any case.
          if (file.name === 'input') names.input = `input.${result?.inputFormat ?? 'csv'}`;
          await using output = await open(join(dir, names[file.name]), 'wx', 0o600);
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
    return { files: [names.input, names.predictions], rows, erasedRows };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

const flushLength = 256 * 1024;
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

/** Throws `io` in the end when it is not the file that was scored. */
async function* hashedFile(path: string, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    hash.update(chunk as Uint8Array);
    yield chunk as Uint8Array;
  }
  if (hash.digest('hex') !== sha256)
    throw new AppError(
      'io',
      'The input changed while it was read, so nothing of the run was kept. Try again with a file that nobody writes to.',
    );
}
