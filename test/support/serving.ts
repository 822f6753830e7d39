/** A served model and a client that speaks plain HTTP, as the published ones do. */
// oxlint-disable-next-line no-restricted-imports -- a client of the listener
import { request } from 'node:http';
import { join } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { graph, model, node, tensor, valueInfo, type OnnxModel } from '#domain/onnx/index.ts';
import { openPeopledApp, type TestApp } from './apps.ts';
import type { BareApp } from './bare-app.ts';
import { signedFolder, signingKey, writeFolder } from './bundles.ts';
import { bytesOf } from './onnx-models.ts';

const reason = 'as tested';

/** ONNX's name of each type, by the protocol's in small letters. */
export const servedTypes = {
  bool: 'bool',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  fp16: 'float16',
  fp32: 'float',
  fp64: 'double',
  bf16: 'bfloat16',
  bytes: 'string',
} as const;

/** Gives back every input as `out_` and its name, rows by one. */
export function echoModel(): OnnxModel {
  // What writes models for tests names fewer types than there are.
  const types = Object.entries(servedTypes) as [string, 'float'][];
  return model(
    graph('echo', {
      nodes: types.map(([name]) => node('Identity', { inputs: [name], outputs: [`out_${name}`] })),
      inputs: types.map(([name, type]) => valueInfo(name, type, ['N', 1])),
      outputs: types.map(([name, type]) => valueInfo(`out_${name}`, type, ['N', 1])),
    }),
    { opsets: { '': 17 } },
  );
}

/** What the example of the protocol's text is sent to. */
export function specModel(): OnnxModel {
  return model(
    graph('mymodel', {
      nodes: [node('Cast', { inputs: ['input0'], outputs: ['output0'] }, { to: 1n })],
      inputs: [valueInfo('input0', 'uint32' as 'int32', [2, 2]), valueInfo('input1', 'bool', [3])],
      outputs: [valueInfo('output0', 'float', [2, 2])],
    }),
    { opsets: { '': 17 } },
  );
}

/** Gives back its input, of whose shape its file says nothing. */
export function shapelessModel(): OnnxModel {
  const { graph: main, ...rest } = model(
    graph('shapeless', {
      nodes: [node('Identity', { inputs: ['any'], outputs: ['same'] })],
      inputs: [],
      outputs: [],
    }),
    { opsets: { '': 17 } },
  );
  if (main === undefined) throw new Error('It was just given one.');
  const value = (name: string): (typeof main.inputs)[number] => ({
    name,
    type: { tensor: { elemType: 1 } },
  });
  return { ...rest, graph: { ...main, inputs: [value('any')], outputs: [value('same')] } };
}

/** Counts to `turns` in a loop: about a microsecond each. */
export function slowModel(): OnnxModel {
  const body = graph('body', {
    nodes: [
      node('Identity', { inputs: ['again'], outputs: ['again_out'] }),
      node('Add', { inputs: ['count', 'one'], outputs: ['count_out'] }),
    ],
    inputs: [
      valueInfo('turn', 'int64', []),
      valueInfo('again', 'bool', []),
      valueInfo('count', 'int64', []),
    ],
    outputs: [valueInfo('again_out', 'bool', []), valueInfo('count_out', 'int64', [])],
  });
  return model(
    graph('slow', {
      nodes: [node('Loop', { inputs: ['turns', '', 'zero'], outputs: ['counted'] }, { body })],
      inputs: [valueInfo('turns', 'int64', [])],
      outputs: [valueInfo('counted', 'int64', [])],
      initializers: [
        tensor('zero', 'int64', { dims: [], data: [0n] }),
        tensor('one', 'int64', { dims: [], data: [1n] }),
      ],
    }),
    { opsets: { '': 17 } },
  );
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
  json(): unknown;
}

export interface Ask {
  readonly method?: string;
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the right one; null: none. */
  readonly token?: string | null;
  readonly signal?: AbortSignal;
}

export type Served = TestApp & {
  readonly address: string;
  readonly token: string;
  ask(path: string, options?: Ask): Promise<HttpAnswer>;
};

export async function importModel(
  { app, client, dir, wait }: BareApp,
  name: string,
  onnx: OnnxModel | Uint8Array,
  stage: 'production' | 'candidate' = 'production',
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const source = app.admitFile(
    await signedFolder(join(dir, `bundle-${name}-${Math.random()}`), {
      'model.onnx': onnx instanceof Uint8Array ? onnx : bytesOf(onnx),
      ...files,
    }),
  );
  const { version } = await wait(contract.bundles.import, client.bundles.import({ source, name }));
  if (stage === 'production')
    await client.models.promote({ version: `${name}@${version}`, to: 'production', reason });
}

/** A vault whose policy allows serving; signed in as the administrator, who alone approves. */
export async function openServingApp(): Promise<TestApp> {
  const test = await openPeopledApp();
  await test.client.policy.set({ secondPerson: false, serving: true, reason });
  const key = writeFolder(test.dir, { 'maker.pem': signingKey.publicPem });
  await test.client.trust.add({ name: 'Maker', file: test.app.admitFile(join(key, 'maker.pem')) });
  return test;
}

export async function serve(
  test: TestApp,
  options: { readonly maxQueueDelayMicroseconds?: number; readonly maxBatch?: number } = {},
): Promise<Served> {
  const { address, token } = await test.client.serving.start({ port: 0, ...options });
  return { ...test, address, token, ask: (path, ask) => askHttp(address, token, path, ask) };
}

export function askHttp(
  address: string,
  token: string,
  path: string,
  options: Ask = {},
): Promise<HttpAnswer> {
  const [host, port] = address.split(':');
  const given = options.token === undefined ? token : options.token;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host,
        port,
        path,
        method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
        headers: {
          ...(given === null ? {} : { authorization: `Bearer ${given}` }),
          ...options.headers,
        },
        agent: false,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(parts);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            json: () => JSON.parse(body.toString()) as unknown,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}
