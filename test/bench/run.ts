/**
 * How fast is a file scored on the whole path: a real vault with an encrypted model, a CSV read, bound, inferred, profiled,
 * written, recorded and logged? Against the runtime alone on numbers in memory, from Node and by its C API, and against pandas
 * with the same runtime. `npm run bench:run -- [ROWS] [ROUNDS] [mlp|trees|transformer]`; a million
 * rows unless told, a tenth of it for the transformer.
 */
import { spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DuckDBInstance } from '@duckdb/node-api';
import { contract } from '#shared/contract/index.ts';
import { createInference } from '#domain/inference/index.ts';
import { createFloeWriter } from '#domain/floe/index.ts';
import { loadDriver, type TableSource } from '#domain/tables/index.ts';
import { open } from 'node:fs/promises';
import { adminPassword } from '../support/bare-vault.ts';
import { openBareApp, type BareApp } from '../support/bare-app.ts';
import { signedFolder, signingKey } from '../support/bundles.ts';
import { hasCommand, perSecond, print, shell } from './measure.ts';
import { oneRow } from './one-row.ts';
import {
  createRandom,
  perceptron,
  transformer,
  treeEnsemble,
  type ScoringModel,
} from './scoring-models.ts';

const here = import.meta.dirname;
const [rowsText = '1000000', roundsText = '3', only] = process.argv.slice(2);
const [rows, rounds] = [Number(rowsText), Number(roundsText)];
const batch = 4096;
/** So many rows that a call of Node costs little against what it computes, though they no longer fit the caches. */
const largeBatch = 16_384;
/** Of numbers in memory a small model computes so many in a time that can be measured. */
const leastAlone = 4_000_000;
const library = join(
  here,
  `../../node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime.so.1`,
);
const dir = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));

interface Way {
  readonly title: string;
  /** Seconds for all rows. */
  readonly run: () => Promise<number>;
}

try {
  const compiled = compilePeer();
  const app = await openVaultWith(signingKey.publicPem);
  const wide = join(dir, 'wide.csv');
  const tokens = join(dir, 'tokens.csv');
  const few = Math.ceil(rows / 10);
  await writeNumbers(wide, { rows, width: 30, tokens: false });
  await writeNumbers(tokens, { rows: few, width: 32, tokens: true });
  process.stdout.write(
    `${rows.toLocaleString('en')} rows of 30 numbers, ${Math.round(statSync(wide).size / 1e6)} MB; medians of ${rounds} rounds, all ways one after the other in each\n`,
  );
  for (const scoring of [perceptron(), treeEnsemble(), transformer()])
    if (only === undefined || only === scoring.name)
      await compare(
        app,
        scoring,
        scoring.type === 'float'
          ? { path: wide, parquet: await toParquet(wide), count: rows }
          : { path: tokens, parquet: await toParquet(tokens), count: few },
        compiled,
      );
  await app.app.close();
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function compare(
  app: BareApp,
  scoring: ScoringModel,
  file: { readonly path: string; readonly parquet: string; readonly count: number },
  compiled: Compiled | undefined,
): Promise<void> {
  const { count } = file;
  const modelPath = join(dir, `${scoring.name}.onnx`);
  writeFileSync(modelPath, scoring.bytes);
  await importModel(app, scoring);
  const size = scoring.type === 'float' ? batch : 64;
  let round = 0;
  let longestGapMs = 0;
  const aloneRows = scoring.name === 'mlp' ? Math.max(count, leastAlone) : count;
  const alone = async (command: string, args: readonly string[]): Promise<number> =>
    ((await twice(command, args, Math.ceil(aloneRows / 2))) * count) / aloneRows;
  const tensorType = scoring.type === 'float' ? '1' : '7';
  const whole = async (path: string): Promise<number> => {
    const gaps = monitorEventLoopDelay({ resolution: 1 });
    gaps.enable();
    const started = performance.now();
    await app.wait(
      contract.runs.start,
      app.client.runs.start({
        version: scoring.name,
        input: app.app.admitFile(path),
        folder: app.app.admitFile(dir),
        name: `${scoring.name}-${(round += 1)}.csv`,
      }),
    );
    gaps.disable();
    longestGapMs = Math.max(longestGapMs, gaps.max / 1e6);
    return (performance.now() - started) / 1000;
  };
  const aloneInNode = (rowsOfCall: number): Way => ({
    title: `runtime alone from Node, numbers in memory, 2 processes, batches of ${rowsOfCall}`,
    run: () =>
      alone(process.execPath, [
        '--no-warnings',
        join(here, 'score-tensors.ts'),
        modelPath,
        scoring.type,
        String(scoring.width),
        String(rowsOfCall),
      ]),
  });
  const aloneInC = ({ loop }: Compiled, rowsOfCall: number): Way => ({
    title: `runtime alone by its C API, numbers in memory, 2 processes, batches of ${rowsOfCall}`,
    run: () =>
      alone(loop, [library, modelPath, tensorType, String(scoring.width), String(rowsOfCall)]),
  });
  const ways: Record<string, Way> = {
    ours: {
      title: 'whole path: encrypted model, CSV in, CSV out, profile, record, log',
      run: () => whole(file.path),
    },
    parquet: { title: 'whole path from Parquet', run: () => whole(file.parquet) },
    node: aloneInNode(size),
    ...(compiled === undefined
      ? {}
      : {
          c: aloneInC(compiled, size),
          ...(scoring.name === 'mlp'
            ? { nodeLarge: aloneInNode(largeBatch), cLarge: aloneInC(compiled, largeBatch) }
            : {}),
          ...(compiled.python !== undefined
            ? {
                pandas: {
                  title: 'pandas, the same runtime with 2 threads, CSV in, CSV out',
                  run: async () =>
                    Number(
                      await output(compiled.python ?? '', [
                        join(here, 'peer.py'),
                        compiled.shared,
                        library,
                        modelPath,
                        tensorType,
                        file.path,
                        join(dir, `${scoring.name}-pandas-${round}.csv`),
                        '2',
                      ]),
                    ),
                },
              }
            : {}),
        }),
  };
  const seconds: Record<string, number[]> = {};
  const processor: Record<string, number[]> = {};
  for (let at = 0; at < rounds; at += 1)
    for (const [name, { run }] of Object.entries(ways)) {
      const before = processorSeconds();
      (seconds[name] ??= []).push(await run());
      (processor[name] ??= []).push(processorSeconds() - before);
    }
  const middle = (measured: readonly number[] = []): number =>
    measured.toSorted((a, b) => a - b)[Math.floor(measured.length / 2)] ?? Number.NaN;
  const median = (name: string): number => middle(seconds[name]);
  const stages = await stagesOf(scoring, file);
  const ours = median('ours');
  const ratio = (name: string): string =>
    ways[name] === undefined ? 'not here' : (median(name) / ours).toFixed(2);
  print(`${scoring.title}: ${count.toLocaleString('en')} rows`, [
    ...Object.entries(ways).map(
      ([name, { title }]) => [title, `${perSecond(count, median(name))} rows/s`] as const,
    ),
    ...['ours', 'parquet', 'pandas']
      .filter((name) => name in ways)
      .map(
        (name) =>
          [
            `processor time: ${name === 'ours' ? 'whole path' : name}`,
            `${((middle(processor[name]) / count) * 1e6).toFixed(2)} µs a row`,
          ] as const,
      ),
    ['whole path, times as fast as pandas with the same runtime', ratio('pandas')],
    ['whole path, share of the runtime alone from Node', ratio('node')],
    ...stages,
    ...(scoring.type === 'float' ? await oneRow(app, scoring) : []),
    ['longest gap in the event loop of the core', `${longestGapMs.toFixed(0)} ms`],
  ]);
  if (compiled === undefined) return;
  const share = (c: string, node: string): string => (median(c) / median(node)).toFixed(2);
  print('', [
    [`Node, share of the C API, batches of ${size}`, share('c', 'node')],
    ...(ways['cLarge'] === undefined
      ? []
      : [[`the same, batches of ${largeBatch}`, share('cLarge', 'nodeLarge')] as const]),
  ]);
}

/** Processor time by stage, and what the whole path reaches of its slowest one on as many cores. */
async function stagesOf(
  scoring: ScoringModel,
  file: { readonly path: string; readonly count: number },
): Promise<(readonly [string, string])[]> {
  const path = join(dir, `${scoring.name}.floe`);
  const [key, aad] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const writer = createFloeWriter();
  const source = (async function* () {
    yield await Promise.resolve(Uint8Array.from(scoring.bytes));
  })();
  const { sizeBytes } = await writer.write({ path, source, key: Uint8Array.from(key), aad });
  writer.hasher.close();
  const outputPath = join(dir, `${scoring.name}-stages.csv`);
  const started = performance.now();
  const result = await createInference().score({
    model: { path, key, aad, sizeBytes },
    external: [],
    assets: [],
    pipeline: undefined,
    inputPath: file.path,
    outputPath,
    keepColumns: false,
    runId: '0123456789abcdef',
  });
  const seconds = (performance.now() - started) / 1000;
  const split = await secondsToSplit(file.path);
  const stages = { 'hash and split': split * 1000, ...result.times };
  const total = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  const slowest = Math.max(...Object.values(result.times));
  return [
    ...Object.entries(stages).map(
      ([name, ms]) =>
        [
          `stage: ${name}`,
          `${((ms / total) * 100).toFixed(0).padStart(3)} %, ${(ms / (file.count / 1000)).toFixed(2)} µs a row`,
        ] as const,
    ),
    [
      'whole path, share of its slowest stage alone on 2 cores',
      `${((slowest / 2000 / seconds) * 100).toFixed(0)} %`,
    ],
  ];
}

async function secondsToSplit(path: string): Promise<number> {
  await using file = await open(path);
  const { size } = await file.stat();
  const source: TableSource = {
    sizeBytes: size,
    fd: file.fd,
    async read(from, to) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(to, size) - from));
      await file.read(bytes, 0, bytes.length, from);
      return bytes;
    },
  };
  const driver = await loadDriver('csv');
  const info = await driver.describe(source, {});
  const started = performance.now();
  for await (const _segment of driver.split(source, info)); // only how long it takes
  return (performance.now() - started) / 1000;
}

async function toParquet(path: string): Promise<string> {
  const made = path.replace(/csv$/, 'parquet');
  if (!existsSync(made)) {
    const database = await DuckDBInstance.create();
    const connection = await database.connect();
    const type = path.includes('tokens') ? 'BIGINT' : 'FLOAT';
    await connection.run(
      `COPY (SELECT COLUMNS(*)::${type} FROM read_csv('${path}')) TO '${made}' (FORMAT parquet)`,
    );
    connection.closeSync();
  }
  return made;
}

async function openVaultWith(publicPem: string): Promise<BareApp> {
  const app = openBareApp(dir);
  await app.client.vault.create({ user: 'ada', password: adminPassword });
  await app.client.policy.set({ secondPerson: false, reason: 'a benchmark' });
  writeFileSync(join(dir, 'maker.pem'), publicPem);
  await app.client.trust.add({ name: 'Maker', file: app.app.admitFile(join(dir, 'maker.pem')) });
  return app;
}

async function importModel(app: BareApp, { name, bytes }: ScoringModel): Promise<void> {
  const folder = join(dir, name);
  mkdirSync(folder);
  await signedFolder(folder, { 'model.onnx': bytes });
  await app.wait(
    contract.bundles.import,
    app.client.bundles.import({ source: app.app.admitFile(folder), name }),
  );
}

async function writeNumbers(
  path: string,
  table: { readonly rows: number; readonly width: number; readonly tokens: boolean },
): Promise<void> {
  const random = createRandom();
  const file = createWriteStream(path);
  const columns = Array.from({ length: table.width }, (_, at) => at);
  file.write(`${columns.map((at) => `x_${at}`).join(',')}\n`);
  for (let row = 0; row < table.rows; row += 1000) {
    const lines = Array.from({ length: Math.min(1000, table.rows - row) }, () =>
      columns
        .map(() => (table.tokens ? Math.floor(random() * 1000) : ((random() - 0.5) * 6).toFixed(6)))
        .join(','),
    );
    if (!file.write(`${lines.join('\n')}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

interface Compiled {
  readonly loop: string;
  readonly shared: string;
  /** Python with pandas, where there is one. */
  readonly python: string | undefined;
}

/** The small program for the C API, where this machine has a compiler and the runtime is a file that it can open. */
function compilePeer(): Compiled | undefined {
  if (process.platform !== 'linux' || !hasCommand('gcc')) {
    process.stdout.write('No gcc here: the C API and pandas are left out.\n');
    return undefined;
  }
  const [loop, shared] = [join(dir, 'loop'), join(dir, 'peer.so')];
  shell(
    'gcc -O2 -o "$2" "$1" -ldl; gcc -O2 -shared -fPIC -o "$3" "$1" -ldl',
    join(here, 'peer.c'),
    loop,
    shared,
  );
  const python = ['python3', '/usr/bin/python3'].find(hasPandas);
  if (python === undefined) process.stdout.write('No Python with pandas here: it is left out.\n');
  return { loop, shared, python };
}

function hasPandas(python: string): boolean {
  try {
    shell('"$1" -c "import pandas, numpy"', python);
    return true;
  } catch {
    return false;
  }
}

/**
 * Of the whole machine, where the system tells: contained children are waited for inside of their namespaces, and the kernel makes
 * and takes down what they lie in with threads of its own. So nothing else should run beside it.
 */
function processorSeconds(): number {
  if (process.platform !== 'linux') return Number.NaN;
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0] = (
    /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return (user + nice + system + interrupts + soft) / 100;
}

/** Two at once, each with half of the rows, as two children do it; the slower one counts. */
async function twice(command: string, args: readonly string[], half: number): Promise<number> {
  const rest = [String(half), ...(command === process.execPath ? [] : ['1'])];
  const both = await Promise.all([1, 2].map(() => output(command, [...args, ...rest])));
  return Math.max(...both.map(Number));
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}.`);
  return text.trim();
}
