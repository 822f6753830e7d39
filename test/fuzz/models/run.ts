/**
 * `npm run fuzz -- models [--count 10000] [--seed 1] [--lanes 2] [--only NUMBER [--save FILE]]`: mutants of models on the way of every model, the
 * gate's scan, first contact in the WebAssembly runtime, then the native one, in contained children. Prints what became of
 * them; ends with 1 when a mutant has no verdict or shows a fault of the product's own code. What ends a child is contained.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseModel } from '#domain/onnx/index.ts';
import { createLane, type Lane, type Outcome } from './lane.ts';
import { collectPool, mutant } from './mutate-model.ts';
import { readSeeds } from './seeds.ts';

interface Options {
  readonly count: number;
  readonly seed: number;
  readonly lanes: number;
  /** One mutant alone. */
  readonly only: number | undefined;
  /** Where it is written to. */
  readonly save: string | undefined;
}

export async function fuzzModels({ count, seed, lanes, only, save }: Options): Promise<boolean> {
  const seeds = readSeeds();
  const pool = collectPool(seeds.map((bytes) => parseModel(bytes)));
  console.log(`seed ${seed}, ${count} mutants of ${seeds.length} models`);
  const counts = new Map<string, number>();
  const bugs = new Map<string, number>();
  const make = (id: number): Uint8Array =>
    mutant(seeds[id % seeds.length] ?? new Uint8Array(), pool, seed * 1_000_003 + id);
  let next = only ?? 0;
  const end = only === undefined ? count : only + 1;
  const work = async (): Promise<void> => {
    await using contact = createLane();
    await using native = createLane();
    while (next < end) {
      const id = next;
      next += 1;
      const bytes = make(id);
      if (save !== undefined) writeFileSync(save, bytes);
      if (only !== undefined)
        console.log(`sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
      for (const { stage, outcome } of await goTheWay({ id, bytes, contact, native })) {
        const how = outcome.verdict === 'crashed' ? ` by ${outcome.said}` : '';
        const key = `${stage}: ${outcome.verdict}${how}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        if (outcome.verdict === 'bug' && !bugs.has(outcome.said)) bugs.set(outcome.said, id);
        if (only !== undefined) console.log(`${key} (${outcome.said})`);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  for (const [key, times] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(times).padStart(7)}  ${key}`);
  for (const [said, id] of bugs)
    console.log(`npm run fuzz -- models --seed ${seed} --only ${id}\n${said}`);
  console.log(`${end - (only ?? 0)} mutants, ${bugs.size} faults of our own; the core lives.`);
  return bugs.size === 0;
}

interface Way {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly contact: Lane;
  readonly native: Lane;
}

async function goTheWay({
  id,
  bytes,
  contact,
  native,
}: Way): Promise<{ stage: string; outcome: Outcome }[]> {
  const model = Buffer.from(bytes).toString('base64');
  const first = await contact.judge({ id, model, runtime: 'wasm' });
  if (first.verdict === 'refused') return [{ stage: 'gate', outcome: first }];
  const told = [{ stage: 'first contact', outcome: first }];
  // As in the product: what the WebAssembly build does not take is tried in the native one, and what it runs is run there.
  if (first.verdict !== 'runs' && first.verdict !== 'not loaded') return told;
  return [
    ...told,
    { stage: 'native', outcome: await native.judge({ id, model, runtime: 'native' }) },
  ];
}
