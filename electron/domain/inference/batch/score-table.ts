/**
 * In a child that scores: segments as they are given, each read from the input, bound, put through the model in batches that
 * begin at fixed rows of the segment, and written as a piece of the output. Nothing is kept from one segment to the next, so
 * that a piece is the same whoever makes it.
 */
import { writeSync } from 'node:fs';
import { createProfiler, type ColumnSpec, type Profiler } from '#domain/monitoring/index.ts';
import { planPipeline, type Plan } from '#domain/pipeline/index.ts';
import {
  cellText,
  createRowWriter,
  loadDriver,
  rejectMessages,
  type BadRow,
  type ColumnData,
  type NamedColumn,
  type Segment,
  type TableReader,
} from '#domain/tables/index.ts';
import type { Core } from '../child.ts';
import type { ScoreJob } from '../protocol.ts';
import type { LoadedModel } from '../runtime.ts';
import type { OutputColumn, Piece, ScorerOrder, StageTimes } from './messages.ts';
import { openSource } from './source.ts';

const mostRows = 4096;
const shownRows = 20;
const shownRejects = 50;

export async function scoreTable(job: ScoreJob, model: LoadedModel, core: Core): Promise<null> {
  const say = (what: unknown): Promise<void> => core.send({ kind: 'said', what });
  const next = async (): Promise<ScorerOrder> => (await core.order()) as ScorerOrder;
  await say({ kind: 'loaded' });
  const first = await next();
  if (first.kind !== 'table') return null;
  const { info } = first;
  const driver = await loadDriver(info.format);
  const source = await openSource(job.source);
  const plan = planPipeline({
    ...model,
    pipeline: job.pipeline ?? undefined,
    columns: info.columns,
  });
  const reader = await driver.open(source, info, {
    wanted: plan.wanted,
    rows: plan.fixedBatch ?? batchRows({ ...model, modelBytes: job.model.sizeBytes }),
    raw: job.output?.keepColumns === true,
  });
  const nothing = plan.toColumns({}, 0);
  await say({ kind: 'bound', columns: shapeOf(nothing), specs: specsOf(plan, nothing) });
  for (;;) {
    const order = await next();
    if (order.kind !== 'segment') break;
    const { segment, slot } = order;
    await say(
      await scoreSegment(segment, {
        plan,
        reader,
        model,
        fd: job.output?.slots[slot],
        onRows: (rows) =>
          void core.send({ kind: 'progress', stage: 'run', done: rows, total: segment.rows, rows }),
      }),
    );
  }
  await reader.close();
  return null;
}

/**
 * Rows of a batch: many, so that calls cost nothing, and fewer the more weights the layers have, so that what passes between them
 * stays in the processor's caches (a transformer of 150,000 weights takes half as long again for a row with 4,096 rows as with
 * 256; between the trees of an ensemble nothing passes, and 256 rows take longer), and no row is work for a long time or takes
 * much memory. A whole number among several of an input is as a rule a token, which becomes a vector: so a row with tokens weighs
 * more, and that transformer, best with 64, gets them. Told from the model alone.
 */
export function batchRows({
  inputs,
  parameters,
  modelBytes,
}: Pick<LoadedModel, 'inputs' | 'parameters'> & { readonly modelBytes: number }): number {
  let elements = 0;
  let vectors = 0;
  for (const { type, shape } of inputs) {
    const size = shape
      .slice(1)
      .reduce<number>((all, dim) => all * (typeof dim === 'number' ? dim : 1), 1);
    elements += size;
    vectors += size > 1 && /^int(32|64)$/.test(type) ? 4 * size : size;
  }
  const width = Math.max(1, elements);
  let rows = mostRows;
  while (rows > 64 && rows * Math.max(1, vectors) * Math.max(2 ** 14, parameters) > 2 ** 31)
    rows /= 2;
  const work = width * Math.max(2 ** 16, modelBytes, 4 * parameters);
  while (rows > 16 && rows * work > 2 ** 38) rows /= 2;
  while (rows > 1 && rows * elements > 2 ** 24) rows /= 2;
  return rows;
}

interface Scoring {
  readonly plan: Plan;
  readonly reader: TableReader;
  readonly model: LoadedModel;
  /** Of the file of the piece; undefined when only the profile is wanted. */
  readonly fd: number | undefined;
  readonly onRows: (rows: number) => void;
}

async function scoreSegment(segment: Segment, scoring: Scoring): Promise<Piece> {
  const { plan, reader, model, fd, onRows } = scoring;
  const output = createOutput(fd);
  // They stand behind the rows, whose length is known in the end.
  const rejects: Buffer[] = [];
  const rejectWriter = createRowWriter((bytes) => rejects.push(Buffer.from(bytes)));
  const clock = createClock();
  const firstRows: string[][] = [];
  const firstRejects: Piece['firstRejects'] = [];
  let rows = 0;
  let seen = 0;
  let rejected = 0;
  let scored:
    | {
        readonly columns: OutputColumn[];
        readonly specs: ColumnSpec[];
        readonly profiler: Profiler;
      }
    | undefined;

  for await (const chunk of reader.read(segment)) {
    clock.lap('read');
    const { tensors, kept, bad } = await plan.toFeeds(chunk);
    clock.lap('bind');
    if (kept.length > 0) {
      const results = await model.run(tensors);
      clock.lap('infer');
      const columns = plan.toColumns(results, kept.length);
      clock.lap('bind');
      if (scored === undefined) {
        const specs = specsOf(plan, columns);
        const profiler = createProfiler(specs, segment.firstRow);
        scored = { columns: shapeOf(columns), specs, profiler };
      }
      const { profiler } = scored;
      const all = kept.length === chunk.rows ? undefined : kept;
      for (const [at, wanted] of plan.wanted.entries()) {
        const data = chunk.columns[at];
        // As a float where the model is given one: that is what its profile is about.
        if (data !== undefined) profiler.add(at, data, all, wanted.float);
      }
      for (const [at, { data }] of columns.entries()) profiler.add(plan.wanted.length + at, data);
      profiler.addRows(kept.length);
      clock.lap('profile');
      const numbers = new Float64Array(kept);
      for (let row = 0; row < numbers.length; row += 1)
        numbers[row] = (numbers[row] ?? 0) + chunk.firstRow;
      const raw =
        chunk.raw === undefined ? undefined : Array.from(kept, (at) => chunk.raw?.[at] ?? []);
      output.writer.rows(numbers, raw, columns);
      for (let row = 0; row < kept.length && firstRows.length < shownRows; row += 1)
        firstRows.push([
          String(numbers[row]),
          ...columns.map(({ data, float }) => cellText(data, row, float === true)),
        ]);
      rows += kept.length;
    }
    for (const { at, column, code } of inOrder(chunk.bad, bad)) {
      const reject = { row: chunk.firstRow + at, column, code, message: rejectMessages[code] };
      rejectWriter.line([String(reject.row), column ?? '', code, reject.message]);
      if (firstRejects.length < shownRejects) firstRejects.push(reject);
      rejected += 1;
    }
    clock.lap('write');
    seen += chunk.rows;
    if (clock.isDue()) onRows(seen);
  }
  output.writer.flush();
  rejectWriter.flush();
  const outputBytes = output.bytes();
  for (const bytes of rejects) output.write(bytes);
  clock.lap('write');
  const shape = scored === undefined ? null : { columns: scored.columns, specs: scored.specs };
  const profile = scored?.profiler.part();
  clock.lap('profile');
  return {
    kind: 'piece',
    index: segment.index,
    rows,
    rejected,
    outputBytes,
    rejectBytes: output.bytes() - outputBytes,
    firstRows,
    firstRejects,
    scored: shape === null || profile === undefined ? null : { ...shape, profile },
    times: clock.times,
  };
}

function createOutput(fd: number | undefined): {
  readonly writer: ReturnType<typeof createRowWriter>;
  write(bytes: Uint8Array): void;
  bytes(): number;
} {
  let written = 0;
  const write = (bytes: Uint8Array): void => {
    if (fd !== undefined)
      for (let done = 0; done < bytes.length;)
        done += writeSync(fd, bytes, done, bytes.length - done, written + done);
    written += bytes.length;
  };
  return { writer: createRowWriter(write), write, bytes: () => written };
}

const progressEveryMs = 50;

function createClock(): {
  readonly times: StageTimes;
  /** Processor time since the last lap belongs to this stage. */
  lap(stage: keyof StageTimes): void;
  isDue(): boolean;
} {
  const times = { read: 0, bind: 0, infer: 0, profile: 0, write: 0 };
  let last = processorMs();
  let told = performance.now();
  return {
    times,
    lap(stage) {
      const now = processorMs();
      times[stage] += now - last;
      last = now;
    },
    isDue() {
      const now = performance.now();
      if (now - told < progressEveryMs) return false;
      told = now;
      return true;
    },
  };
}

/** Of all threads of this process. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Both are in the order of rows, and no row is in both. */
function inOrder(a: readonly BadRow[], b: readonly BadRow[]): readonly BadRow[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : [...a, ...b].sort((one, other) => one.at - other.at);
}

function shapeOf(columns: readonly NamedColumn[]): OutputColumn[] {
  return columns.map(({ name, data, float }) => ({ name, kind: data.kind, float: float === true }));
}

function specsOf({ wanted }: Plan, columns: readonly NamedColumn[]): ColumnSpec[] {
  return [
    ...wanted.map(({ name, as, facts }) => ({
      name,
      role: 'input' as const,
      kind: facts?.kind ?? kindOf(as),
      ...(facts?.min === undefined ? {} : { min: facts.min }),
      ...(facts?.max === undefined ? {} : { max: facts.max }),
      ...(facts?.categories === undefined ? {} : { categories: facts.categories }),
    })),
    // Floating-point outputs are measured as numbers; labels, whatever their type, as categories.
    ...columns.map(({ name, data }) => ({
      name,
      role: 'output' as const,
      kind: data.kind === 'integer' ? ('categorical' as const) : kindOf(data.kind),
    })),
  ];
}

function kindOf(kind: ColumnData['kind']): ColumnSpec['kind'] {
  if (kind === 'boolean') return 'boolean';
  return kind === 'number' || kind === 'integer' ? 'numeric' : 'categorical';
}
