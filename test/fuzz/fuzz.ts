/**
 * `npm run fuzz -- --seconds 600 [--target scan] [--seed 1]`: coverage-guided fuzzing of everything that reads bytes from outside. An
 * input that runs code which no input ran before becomes a seed. What fails is printed, and done again with
 * `npm run fuzz -- --target NAME --replay BASE64`. Memory is bounded by the heap that `node` was given, time by `--step-seconds`.
 * `npm run fuzz -- models --count 10000` is another kind, see `models/run.ts`.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { startCoverage } from './coverage.ts';
import { mutate, mutations } from './mutate.ts';
import { targets, type FuzzTarget } from './targets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '10000' },
    lanes: { type: 'string', default: '2' },
    only: { type: 'string' },
    save: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    target: { type: 'string' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    'step-seconds': { type: 'string', default: '20' },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0)
  throw new Error(
    `There is no such target. Targets: ${targets.map(({ name }) => name).join(', ')}.`,
  );

// What fails outside of a call fails the target that runs.
let current: { readonly target: FuzzTarget; readonly bytes: Uint8Array } | undefined;
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

if (positionals[0] === 'models') {
  const { fuzzModels } = await import('./models/run.ts');
  const passed = await fuzzModels({
    count: Number(values.count),
    seed: Number(values.seed ?? 1),
    lanes: Number(values.lanes),
    only: values.only === undefined ? undefined : Number(values.only),
    save: values.save,
  });
  process.exitCode = passed ? 0 : 1;
} else if (values.replay !== undefined) {
  for (const target of chosen) await step(target, Buffer.from(values.replay, 'base64'));
  console.log('It passes.');
} else {
  console.log(`seed ${seed}, ${values.seconds} s`);
  for (const target of chosen) await fuzz(target, (Number(values.seconds) * 1000) / chosen.length);
}

async function fuzz(target: FuzzTarget, milliseconds: number): Promise<void> {
  const coverage = startCoverage();
  const pool = await target.seeds();
  for (const bytes of pool) await step(target, bytes);
  coverage.grew();
  const first = { seeds: pool.length, blocks: coverage.blocks() };
  const end = performance.now() + milliseconds;
  let runs = 0;
  for (let round = 0; performance.now() < end; round += 1) {
    const lists = fc.sample(mutations(target.isStructured), { seed: seed + round, numRuns: 100 });
    for (const [at, list] of lists.entries()) {
      if (performance.now() >= end) break;
      // Half of the time the youngest, which reached furthest.
      const young = pool.length - 1 - (round % Math.min(8, pool.length));
      const bytes = mutate(
        pool[at % 2 === 0 ? young : (round * 100 + at) % pool.length] ?? new Uint8Array(),
        list,
      );
      await step(target, bytes);
      runs += 1;
      if (coverage.grew()) pool.push(bytes);
    }
  }
  console.log(
    `${target.name}: ${runs} inputs, ${first.blocks} blocks by ${first.seeds} seeds, ${coverage.blocks()} by ${pool.length}`,
  );
}

async function step(target: FuzzTarget, bytes: Uint8Array): Promise<void> {
  current = { target, bytes };
  const started = performance.now();
  try {
    await target.run(bytes);
  } catch (error) {
    fail(error);
  }
  const seconds = (performance.now() - started) / 1000;
  if (seconds > Number(values['step-seconds'])) fail(new Error(`It took ${seconds.toFixed(1)} s.`));
}

function fail(error: unknown): never {
  console.error(error);
  if (current !== undefined)
    console.error(
      `npm run fuzz -- --target ${current.target.name} --replay ${Buffer.from(current.bytes).toString('base64')}`,
    );
  process.exit(1);
}
