/**
 * How fast is a CSV scored on the whole path (decrypt, read, bind, infer, profile, write, log), against the same runtime on
 * tensors that are in memory already? `npm run bench`; `npm run bench:vault` measures the way in.
 */
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import * as ort from 'onnxruntime-node';
import { goldenCases } from '#domain/bundle/index.ts';
import { contract } from '#shared/contract/index.ts';
import { createClient } from '#shared/rpc.ts';
import { createApp } from '#app/create-app.ts';
import { adminPassword } from '../support/bare-vault.ts';
import { cheapKdf, perSecond, print } from './measure.ts';

const sample = join(import.meta.dirname, '../../resources/sample');
const dir = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
const rounds = 3;

try {
  const rows = 200_000;
  const whole = await scoreFile(rows);
  const alone = await scoreTensors(rows);
  print('Scoring the sample model, 26 columns', [
    [
      'whole path: encrypted model, CSV in, CSV out, profile, log',
      `${perSecond(rows, whole)} rows/s`,
    ],
    ['ONNX Runtime alone, tensors in memory, 2 threads', `${perSecond(rows, alone)} rows/s`],
    ['share of the limit', `${Math.round((alone / whole) * 100)} %`],
  ]);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function scoreFile(rows: number): Promise<number> {
  const app = createApp({ vaultDir: join(dir, 'vault'), host: 'cli', kdf: cheapKdf });
  const client = createClient(contract, app.dispatch);
  const done = async ({ operationId }: { readonly operationId: string }): Promise<void> => {
    const { error } = await app.settled(operationId, () => undefined);
    if (error !== null) throw new Error(error.message);
  };
  await client.vault.create({ user: 'ada', password: adminPassword });
  const key = app.admitFile(join(sample, 'keys/SAMPLE-ONLY-do-not-trust.pub.pem'));
  await client.trust.add({ name: 'Sample', file: key });
  await done(await client.bundles.import({ source: app.admitFile(join(sample, 'credit-risk')) }));
  const [header = '', ...lines] = readFileSync(join(sample, 'data/normal-month.csv'), 'utf8')
    .trimEnd()
    .split('\n');
  const path = join(dir, 'rows.csv');
  const file = createWriteStream(path);
  file.write(`${header}\n`);
  for (let row = 0; row < rows; row += lines.length)
    file.write(`${lines.slice(0, rows - row).join('\n')}\n`);
  file.end();
  await once(file, 'close');
  let round = 0;
  const seconds = await best(async () =>
    done(
      await client.runs.start({
        version: 'credit-risk',
        input: app.admitFile(path),
        folder: app.admitFile(dir),
        name: `scored-${(round += 1)}.csv`,
      }),
    ),
  );
  await app.close();
  return seconds;
}

async function scoreTensors(rows: number): Promise<number> {
  const batch = 2048;
  const session = await ort.InferenceSession.create(join(sample, 'credit-risk/model.onnx'), {
    intraOpNumThreads: 2,
  });
  const { cases } = goldenCases.parse(
    JSON.parse(readFileSync(join(sample, 'credit-risk/golden/cases.json'), 'utf8')),
  );
  const feeds: Record<string, ort.Tensor> = {};
  for (const input of session.inputMetadata) {
    const values = Array.from(
      { length: batch },
      (_, at) => cases[at % cases.length]?.inputs[input.name]?.data[0] ?? null,
    );
    feeds[input.name] = toTensor(values, input.isTensor ? input.type : 'float32');
  }
  return best(async () => {
    for (let row = 0; row < rows; row += batch) await session.run(feeds);
  });
}

function toTensor(
  values: readonly (number | string | boolean | null)[],
  type: ort.Tensor.Type,
): ort.Tensor {
  const dims = [values.length, 1];
  const numbers = values.map((value) => (value === null ? Number.NaN : Number(value)));
  switch (type) {
    case 'string':
      return new ort.Tensor('string', values.map(String), dims);
    case 'int64':
      return new ort.Tensor('int64', BigInt64Array.from(numbers.map(BigInt)), dims);
    case 'bool':
      return new ort.Tensor('bool', Uint8Array.from(numbers), dims);
    case 'float64':
      return new ort.Tensor('float64', Float64Array.from(numbers), dims);
    default:
      return new ort.Tensor('float32', Float32Array.from(numbers), dims);
  }
}

/** Seconds of the fastest of a few rounds. */
async function best(work: () => Promise<void> | void): Promise<number> {
  let seconds = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    await work();
    seconds = Math.min(seconds, (performance.now() - started) / 1000);
  }
  return seconds;
}
