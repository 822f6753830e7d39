/** One record of a version, asked as the window asks: what is there of it beyond the runtime. */
import { readdirSync, readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { processFolders } from '#platform/process-tree.ts';
import type { BareApp } from '../support/bare-app.ts';
import type { ScoringModel } from './scoring-models.ts';

const warm = 200;
const calls = 500;

interface Cost {
  /** Milliseconds of a call: the median on the clock, and processor time of the core and its children. */
  readonly wall: number;
  readonly processor: number;
}

/** Lines for `print`; the version has the model's name. */
export async function oneRow(
  { client }: BareApp,
  scoring: ScoringModel,
): Promise<(readonly [string, string])[]> {
  const record = Object.fromEntries(
    Array.from({ length: scoring.width }, (_, at) => [`x[${at}]`, String(Math.sin(at) * 3)]),
  );
  const whole = await costOf(() => client.records.predict({ version: scoring.name, record }));
  const session = await ort.InferenceSession.create(scoring.bytes, { intraOpNumThreads: 1 });
  const x = Float32Array.from({ length: scoring.width }, (_, at) => Math.sin(at) * 3);
  const alone = await costOf(() =>
    session.run({ x: new ort.Tensor('float32', x, [1, scoring.width]) }),
  );
  const over = (what: keyof Cost): string => (whole[what] - alone[what]).toFixed(2);
  return [
    [
      'one row from the window: over the bare runtime',
      `${over('processor')} ms of processor time, ${over('wall')} ms`,
    ],
  ];
}

async function costOf(call: () => Promise<unknown>): Promise<Cost> {
  for (let at = 0; at < warm; at += 1) await call();
  const before = processorMs();
  const walls: number[] = [];
  for (let at = 0; at < calls; at += 1) {
    const started = performance.now();
    await call();
    walls.push(performance.now() - started);
  }
  const processor = (processorMs() - before) / calls;
  return { wall: walls.toSorted((a, b) => a - b)[calls / 2] ?? Number.NaN, processor };
}

/** Of this process and of its children that live. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + children().reduce((sum, folder) => sum + runningMs(folder), 0);
}

/** Their folders in /proc, with all that runs in their namespaces. */
function children(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' '))
    .filter((pid) => pid !== '')
    .flatMap((pid) => processFolders(Number(pid)));
}

/** Of all threads of a process. */
function runningMs(folder: string): number {
  return readdirSync(`${folder}/task`).reduce(
    (sum, task) =>
      sum + Number(readFileSync(`${folder}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
}
