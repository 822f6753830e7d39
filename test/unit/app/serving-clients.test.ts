import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { scoredFiles, signedFolder } from '../../support/bundles.ts';
import { recordedRequests, headerOf, sendRecorded, type Recorded } from '../../support/recorded.ts';
import { echoModel, importModel, openServingApp, serve, specModel } from '../../support/serving.ts';

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
  readonly data?: unknown[];
  readonly parameters?: { readonly binary_data_size: number };
}

/** Binary data as the clients read it, and 64-bit integers of JSON from their digits. */
function valuesOf(output: Output, text: string, raw: Buffer): (number | string)[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const width = { '8': 1, '6': 2, '2': 4, '4': 8 }[output.datatype.at(-1) ?? ''] ?? 1;
  const read: Readonly<Record<string, (at: number) => number | bigint | boolean>> = {
    BOOL: (at) => view.getUint8(at) === 1,
    INT8: (at) => view.getInt8(at),
    INT16: (at) => view.getInt16(at, true),
    INT32: (at) => view.getInt32(at, true),
    INT64: (at) => view.getBigInt64(at, true),
    UINT8: (at) => view.getUint8(at),
    UINT16: (at) => view.getUint16(at, true),
    UINT32: (at) => view.getUint32(at, true),
    UINT64: (at) => view.getBigUint64(at, true),
    FP16: (at) => view.getFloat16(at, true),
    FP32: (at) => view.getFloat32(at, true),
    FP64: (at) => view.getFloat64(at, true),
    BF16: (at) => new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0] ?? 0,
  };
  const told = (value: unknown): number | string =>
    typeof value === 'number' && /^(FP|BF)/.test(output.datatype) ? value : String(value);
  if (output.parameters === undefined) {
    if (!output.datatype.endsWith('64') || output.datatype === 'FP64')
      return (output.data ?? []).map(told);
    const digits = new RegExp(`"${output.name}".*?"data":\\[([-\\d,]*)\\]`).exec(text)?.[1] ?? '';
    return digits.split(',');
  }
  if (output.datatype === 'BYTES') {
    const texts: string[] = [];
    for (let at = 0; at < raw.length; at += 4 + view.getUint32(at, true))
      texts.push(raw.subarray(at + 4, at + 4 + view.getUint32(at, true)).toString());
    return texts;
  }
  return Array.from({ length: raw.length / width }, (_, at) =>
    told(read[output.datatype]?.(at * width)),
  );
}

/** Reads a reply as the clients do, and compares it with what the request had in it. */
function compare(sent: Recorded, reply: { readonly head: string; readonly body: Buffer }): void {
  const length = headerOf(reply.head, 'inference-header-content-length');
  const text = reply.body.toString(
    'utf8',
    0,
    length === undefined ? reply.body.length : Number(length),
  );
  const { outputs, ...told } = JSON.parse(text) as { id?: string; outputs: Output[] };
  expect(told).toEqual({
    model_name: 'echo',
    model_version: '1',
    ...(sent.id === undefined ? {} : { id: sent.id }),
  });
  const names = sent.wanted ?? Object.keys(sent.tensors ?? {}).map((name) => `out_${name}`);
  expect(outputs.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  let at = Buffer.byteLength(text);
  for (const output of outputs) {
    const size = output.parameters?.binary_data_size ?? 0;
    const tensor = sent.tensors?.[output.name.slice(4)];
    expect(output.shape, output.name).toEqual(tensor?.shape);
    expect(valuesOf(output, text, reply.body.subarray(at, at + size)), output.name).toEqual(
      tensor?.values,
    );
    at += size;
  }
  expect(at).toBe(reply.body.length);
}

test('what published clients have sent is answered as they expect it, every type, in JSON and as binary data', async () => {
  const opened = await openServingApp();
  const { app, client, dir, wait } = opened;
  await importModel(opened, 'echo', echoModel());
  await importModel(opened, 'mymodel', specModel());
  const source = app.admitFile(await signedFolder(join(dir, 'scored'), scoredFiles));
  await wait(contract.bundles.import, client.bundles.import({ source, name: 'scored' }));
  await client.models.promote({ version: 'scored@1', to: 'production', reason: 'as tested' });
  const served = await serve(opened);
  for (const sent of recordedRequests) {
    const reply = await sendRecorded(sent, served);
    const what = `${sent.client}, ${sent.about}: ${reply.body.toString('latin1').slice(0, 300)}`;
    expect(reply.status, what).toBe(sent.status);
    if (sent.tensors !== undefined) compare(sent, reply);
    else if (sent.status !== 200)
      // Their errors are read from there, and only of this type.
      expect(
        [headerOf(reply.head, 'content-type'), typeof JSON.parse(reply.body.toString()).error],
        what,
      ).toEqual(['application/json', 'string']);
  }
});
