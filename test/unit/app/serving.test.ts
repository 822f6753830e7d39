import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LogEntry } from '#shared/contract/audit.ts';
import type { RecordValues } from '#shared/contract/records.ts';
import type { OnnxModel } from '#domain/onnx/index.ts';
import { codeOf } from '../../support/bare-app.ts';
import { matrixModel, zipMapModel } from '../../support/onnx-models.ts';
import { sampleFolder } from '../../support/record-models.ts';
import {
  echoModel,
  importModel,
  openServingApp,
  serve,
  shapelessModel,
  slowModel,
  type HttpAnswer,
  type Served,
} from '../../support/serving.ts';

const reason = 'as tested';
const row = (values: readonly number[]): string =>
  JSON.stringify({
    inputs: [{ name: 'features', shape: [values.length / 2, 2], datatype: 'FP32', data: values }],
  });
const infer = (served: Served, values: readonly number[]): Promise<HttpAnswer> =>
  served.ask('/v2/models/scores/infer', { body: row(values) });
/** The same, made by somebody else. */
const otherModel = (): OnnxModel => ({ ...matrixModel(), producerName: 'another' });
/** What `matrixModel` gives. */
const scoresOf = (values: readonly number[]): number[] =>
  Array.from(
    { length: values.length / 2 },
    (_, at) => 2 * (values[2 * at] ?? 0) + 3 * (values[2 * at + 1] ?? 0) + 1,
  );
/** A request to `slowModel`. */
const turns = (count: number): string =>
  JSON.stringify({ inputs: [{ name: 'turns', shape: [], datatype: 'INT64', data: [count] }] });
interface Output {
  readonly name: string;
  readonly data: readonly unknown[];
}
/** Numbers of a float in as many digits as a float has. */
const close = (outputs: readonly Output[]): unknown =>
  outputs.map(({ name, data }) => [
    name,
    data.map((value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)),
  ]);
const dataOf = (answer: HttpAnswer): unknown =>
  (answer.json() as { outputs: { data: unknown }[] }).outputs[0]?.data;

async function entriesOf(
  served: Pick<Served, 'client'>,
  action: LogEntry['action'],
): Promise<LogEntry[]> {
  const { entries } = await served.client.audit.list({ action, limit: 500 });
  return entries.map(({ entry }) => entry).toReversed();
}

/** Addresses on which this process listens, from the kernel's tables. */
function listening(): string[] {
  return ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/self/net/${name}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => `${name} ${fields[1]}`),
  );
}

describe('serving is off', () => {
  test('until the policy allows it and an analyst starts it', async () => {
    const app = await openServingApp();
    const { client, as } = app;
    await client.policy.set({ serving: false, reason });
    expect(await codeOf(client.serving.start({ port: 0 }))).toBe('forbidden');
    await client.policy.set({ serving: true, reason });
    await as('alan');
    expect(await codeOf(client.serving.start({ port: 0 }))).toBe('forbidden');
    await as('grace');
    const served = await serve(app);
    expect(await codeOf(client.serving.start({ port: 0 }))).toBe('conflict');
    expect(await client.serving.status(null)).toMatchObject({
      allowed: true,
      listening: { address: served.address, by: 'grace' },
    });
    const [begun, started] = await entriesOf(served, 'serve.start').then((all) => all.slice(-4));
    expect(begun).toMatchObject({ phase: 'begin' });
    expect(started).toMatchObject({ outcome: 'ok', details: { address: served.address } });
  });

  test('again after a stop, a change of the policy and a seal, and the port is closed', async () => {
    const app = await openServingApp();
    const { client, as } = app;
    const isOpen = (served: Served): Promise<boolean> =>
      served.ask('/v2').then(
        () => true,
        () => false,
      );
    const stopped = await serve(app);
    expect(await isOpen(stopped)).toBe(true);
    await client.serving.stop(null);
    expect(await isOpen(stopped)).toBe(false);
    const forbidden = await serve(app);
    await client.policy.set({ serving: false, reason });
    expect(await isOpen(forbidden)).toBe(false);
    await client.policy.set({ serving: true, reason });
    const sealed = await serve(app);
    await as('ada');
    expect(await isOpen(sealed)).toBe(false);
    expect((await client.serving.status(null)).listening).toBeNull();
    const ends = (await entriesOf(app, 'serve.stop')).filter(({ phase }) => phase === 'event');
    expect(ends.map(({ details }) => details?.['because'])).toEqual(['policy', 'seal']);
  });

  test.skipIf(process.platform !== 'linux')(
    'and on, it listens on 127.0.0.1 alone, and doctor says so',
    async () => {
      const app = await openServingApp();
      const before = listening();
      const offline = async (): Promise<unknown> =>
        (await app.client.system.doctor(null)).checks.filter(({ name }) =>
          ['offline', 'serving'].includes(name),
        );
      expect(await offline()).toMatchObject([
        { ok: true, detail: 'The core has no network socket open.' },
        { ok: true, detail: expect.stringContaining('No port is open') },
      ]);
      const { address } = await serve(app);
      const port = Number(address.split(':')[1]);
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      expect(listening().filter((each) => !before.includes(each))).toEqual([`tcp 0100007F:${hex}`]);
      expect(await offline()).toMatchObject([
        { ok: true, detail: expect.stringContaining(address) },
        { ok: true, detail: expect.stringContaining(address) },
      ]);
      await app.client.serving.stop(null);
      expect(listening().filter((each) => !before.includes(each))).toEqual([]);
    },
  );
});

describe('the protocol', () => {
  test('health, metadata, readiness, index, statistics and metrics', async () => {
    const app = await openServingApp();
    await importModel(app, 'scores', matrixModel());
    await importModel(app, 'scores', otherModel(), 'candidate');
    const served = await serve(app);
    const get = async (path: string): Promise<unknown> => (await served.ask(path)).json();
    expect(await get('/v2/health/live')).toEqual({ live: true });
    expect(await get('/v2/health/ready')).toEqual({ live: true, ready: true });
    expect(await get('/v2')).toMatchObject({ name: 'strongroom' });
    expect(await get('/v2/models/scores')).toEqual({
      name: 'scores',
      versions: ['2', '1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
    });
    expect(await get('/v2/models/scores/versions/1/ready')).toEqual({
      name: 'scores',
      ready: true,
    });
    const answer = await infer(served, [1, 2, 3, 4]);
    expect(answer.json()).toEqual({
      model_name: 'scores',
      model_version: '1',
      outputs: [{ name: 'score', datatype: 'FP32', shape: [2, 1], data: scoresOf([1, 2, 3, 4]) }],
    });
    const index = await served.ask('/v2/repository/index', { body: '{"ready":true}' });
    expect(index.json()).toMatchObject([
      { name: 'scores', version: '2', state: 'READY', reason: '' },
      { name: 'scores', version: '1', state: 'READY', reason: '' },
    ]);
    expect(await get('/v2/models/scores/versions/1/stats')).toMatchObject({
      model_stats: [{ inference_count: 2, execution_count: 1, batch_stats: [{ batch_size: 2 }] }],
    });
    const metrics = await served.ask('/metrics');
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(metrics.body.toString()).toContain(
      'nv_inference_request_success{model="scores",version="1"} 1\n',
    );
    expect((await app.client.serving.status(null)).models).toMatchObject([
      { model: 'scores', version: 1, succeeded: 1, failed: 0, inferences: 2 },
    ]);
  });

  test('a version that may not run is not served, and a bare name is the one in production', async () => {
    const app = await openServingApp();
    await importModel(app, 'scores', matrixModel(), 'candidate');
    const served = await serve(app);
    const ask = async (path: string): Promise<number> =>
      (await served.ask(path, { body: row([1, 2]) })).status;
    expect(await ask('/v2/models/scores/infer')).toBe(404);
    expect(await ask('/v2/models/scores/versions/1/infer')).toBe(200);
    expect((await served.ask('/v2/models/scores/ready')).status).toBe(404);
    await app.client.models.promote({ version: 'scores@1', to: 'production', reason });
    expect(await ask('/v2/models/scores/infer')).toBe(200);
    await app.client.models.retire({ version: 'scores@1', reason });
    expect(await ask('/v2/models/scores/infer')).toBe(404);
    expect(await ask('/v2/models/scores/versions/1/infer')).toBe(403);
    const ready = await served.ask('/v2/models/scores/versions/1/ready');
    expect([ready.status, ready.json()]).toEqual([400, { name: 'scores', ready: false }]);
    expect(await ask('/v2/models/scores/versions/9/infer')).toBe(404);
  });

  test('what is no tensor in the file is served as the tensors that stand for it', async () => {
    const app = await openServingApp();
    await importModel(app, 'zipmap', zipMapModel());
    await importModel(app, 'shapeless', shapelessModel());
    const served = await serve(app);
    expect((await served.ask('/v2/models/zipmap')).json()).toMatchObject({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [-1] },
        { name: 'probability', datatype: 'FP32' },
      ],
    });
    const input = (name: string): object => ({
      inputs: [{ name, shape: [1, 2], datatype: 'FP32', data: [0, 1] }],
    });
    const ask = (model: string, name: string): Promise<HttpAnswer> =>
      served.ask(`/v2/models/${model}/infer`, { body: JSON.stringify(input(name)) });
    const { outputs } = (await ask('zipmap', 'x')).json() as {
      outputs: { name: string; shape: number[]; data: unknown[] }[];
    };
    const yes = 1 / (1 + Math.exp(-1));
    expect(outputs).toMatchObject([
      { name: 'label', shape: [1], data: ['yes'] },
      { name: 'probability', shape: [1, 2] },
    ]);
    expect(outputs[1]?.data[1]).toBeCloseTo(yes, 5);
    expect(dataOf(await ask('shapeless', 'any'))).toEqual([0, 1]);
  });

  test('rows go through the pipeline of the bundle, under a name of their own', async () => {
    const app = await openServingApp();
    const pipeline = readFileSync(join(sampleFolder, 'pipeline.json'), 'utf8');
    const model = readFileSync(join(sampleFolder, 'model.onnx'));
    await importModel(app, 'credit', model, 'production', { 'pipeline.json': pipeline });
    const served = await serve(app, { maxQueueDelayMicroseconds: 2000 });
    const get = async (path: string): Promise<unknown> => (await served.ask(path)).json();
    expect(await get('/v2/models/credit')).toMatchObject({
      name: 'credit',
      platform: 'onnx_onnxv1',
    });
    const { inputs, ...metadata } = (await get('/v2/models/credit:rows')) as {
      readonly inputs: readonly { readonly name: string; readonly datatype: string }[];
    };
    expect(metadata).toMatchObject({ name: 'credit:rows', platform: 'strongroom_rows' });
    expect(inputs).toContainEqual({ name: 'savings', datatype: 'FP64', shape: [-1] });
    expect(inputs).toContainEqual({ name: 'purpose', datatype: 'BYTES', shape: [-1] });
    const index = await served.ask('/v2/repository/index', { method: 'POST' });
    expect(index.json()).toMatchObject([{ name: 'credit' }, { name: 'credit:rows' }]);

    const [header = '', ...lines] = readFileSync(join(sampleFolder, 'reference.csv'), 'utf8').split(
      '\n',
    );
    const names = header.split(',');
    // Some of their values are missing.
    const records = lines.slice(0, 2).map((line): RecordValues => {
      const fields = line.split(',').map((field) => (field === '' ? null : field));
      return Object.fromEntries(names.map((name, at) => [name, fields[at] ?? null]));
    });
    const typed = (text: unknown, datatype: string): unknown => {
      if (text === null || datatype === 'BYTES') return text;
      return datatype === 'BOOL' ? text === 'true' : Number(text);
    };
    const ask = (rows: readonly RecordValues[]): Promise<HttpAnswer> =>
      served.ask('/v2/models/credit:rows/infer', {
        body: JSON.stringify({
          inputs: inputs.map(({ name, datatype }) => ({
            name,
            datatype,
            shape: [rows.length],
            data: rows.map((each) => typed(each[name], datatype)),
          })),
        }),
      });
    const predicted = await Promise.all(
      records.map((record) => app.client.records.predict({ version: 'credit', record })),
    );
    const expected = predicted[0]?.outputs.map(({ name }) => ({
      name,
      shape: [2],
      data: predicted.map(({ outputs }) => outputs.find((each) => each.name === name)?.value),
    }));
    const answer = (await ask(records)).json() as { readonly outputs: readonly Output[] };
    expect(answer).toMatchObject({ model_name: 'credit:rows', model_version: '1' });
    // Rows are counted for themselves, and a client that asks for them by name finds them.
    const countedAt = async (path: string) =>
      ((await get(path)) as { model_stats: { name: string }[] }).model_stats.map(
        ({ name }) => name,
      );
    expect(await countedAt('/v2/models/credit:rows/stats')).toEqual(['credit:rows']);
    expect(await countedAt('/v2/models/credit/stats')).toEqual([]);
    expect((await app.client.serving.status(null)).models).toMatchObject([
      { model: 'credit:rows', version: 1 },
    ]);
    expect(close(answer.outputs)).toEqual(close(expected ?? []));
    // Joined with others, each gets its own, and what one sent wrongly is told to nobody else.
    const [first, bad, second] = await Promise.all([
      ask(records.slice(0, 1)),
      ask([{ ...records[0], savings: '1e300' }]),
      ask(records.slice(1)),
    ]);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect([bad.status, bad.json()]).toEqual([
      400,
      { error: expect.stringMatching(/^Row 1, savings: .*Nothing was scored\.$/) },
    ]);
    const entries = await entriesOf(served, 'serve.infer');
    expect(entries.map(({ details }) => details?.['form'])).toContain('rows');
    expect(JSON.stringify(entries)).not.toContain('1e+300');
  });

  test('what is wrong is answered with a status and a sentence', async () => {
    const app = await openServingApp();
    await importModel(app, 'scores', matrixModel());
    const served = await serve(app);
    const path = '/v2/models/scores/infer';
    const cases: readonly [string, Parameters<Served['ask']>[1], number, RegExp][] = [
      ['/v1/models', {}, 404, /nothing at this path/],
      [path, {}, 405, /takes POST/],
      ['/v2', { method: 'OPTIONS' }, 405, /takes GET/],
      [path, { body: '{' }, 400, /not JSON/],
      [path, { body: row([1, 2]).replace('FP32', 'FP64') }, 400, /is FP32/],
      [path, { body: row([]) }, 400, /features has no rows/],
      [path, { body: '{}' }, 400, /inputs must be a list/],
      ['/v2/models/nothing:rows/infer', { body: row([1, 2]) }, 404, /nothing/],
      [path, { body: 'x', headers: { 'content-encoding': 'br' } }, 415, /gzip or deflate/],
      [path, { body: 'x', headers: { 'content-encoding': 'gzip' } }, 400, /Content-Encoding/],
      [
        path,
        { body: row([1, 2]), headers: { 'inference-header-content-length': '-1' } },
        400,
        /not a length/,
      ],
      [
        path,
        { body: row([1, 2]), headers: { 'inference-header-content-length': '9' } },
        400,
        /not JSON/,
      ],
    ];
    for (const [target, options, status, message] of cases) {
      const answer = await served.ask(target, options);
      expect([answer.status, answer.json()], `${target} ${status}`).toEqual([
        status,
        { error: expect.stringMatching(message) },
      ]);
    }
    expect((await infer(served, [1, 2])).status).toBe(200);
  });

  test('without the token, for another host or from a browser nothing is answered', async () => {
    const app = await openServingApp();
    await importModel(app, 'scores', matrixModel());
    const served = await serve(app);
    const port = served.address.split(':')[1];
    const cases: readonly [Parameters<Served['ask']>[1], number][] = [
      [{ token: null }, 401],
      [{ token: '' }, 401],
      [{ token: `${served.token}x` }, 401],
      [{ token: served.token.slice(0, -1) }, 401],
      [{ headers: { host: `rebound.example:${port}` } }, 403],
      [{ headers: { host: '127.0.0.1' } }, 403],
      [{ headers: { origin: 'http://127.0.0.1' } }, 403],
      [{ headers: { origin: 'null' } }, 403],
      [{ headers: { 'sec-fetch-site': 'same-origin' } }, 403],
    ];
    for (const [options, status] of cases) {
      const answer = await served.ask('/v2/models/scores/infer', { body: row([1, 2]), ...options });
      expect(answer.status, JSON.stringify(options)).toBe(status);
      expect(Object.keys(answer.headers).join()).not.toContain('access-control');
    }
    expect((await served.ask('/v2', { headers: { host: `localhost:${port}` } })).status).toBe(200);
    expect(await app.client.serving.status(null)).toMatchObject({
      listening: { turnedAway: cases.length },
      models: [],
    });
    expect(await entriesOf(app, 'serve.infer')).toEqual([]);
  });
});

describe('the log', () => {
  test('has every call, announced and answered, with the version and without what was in it', async () => {
    const app = await openServingApp();
    await importModel(app, 'echo', echoModel());
    await importModel(app, 'scores', matrixModel());
    const served = await serve(app);
    const secret = 'ines.moreau@example.org';
    const echo = await served.ask('/v2/models/echo/infer', {
      body: JSON.stringify({
        id: secret,
        inputs: [{ name: secret, shape: [1, 1], datatype: 'BYTES', data: [secret] }],
      }),
    });
    expect(echo.status).toBe(400);
    await Promise.all([infer(served, [1, 2]), infer(served, [1, 2, 3, 4])]);
    expect((await served.ask('/v2/models/unknown/infer', { body: '{}' })).status).toBe(404);
    const { digest } = await app.client.models.version({ version: 'scores@1' });
    await app.client.serving.stop(null);
    const entries = await entriesOf(app, 'serve.infer');
    expect(entries.filter(({ phase }) => phase === 'event')).toMatchObject([
      { outcome: 'error', code: 'invalid-input', objects: [{ type: 'version', id: 'echo@1' }] },
      {
        outcome: 'error',
        code: 'not-found',
        objects: [{ type: 'model', id: 'unknown@production' }],
      },
    ]);
    const begun = entries.filter(({ phase }) => phase === 'begin');
    expect(begun.map(({ details }) => details)).toEqual([{ rows: 1 }, { rows: 2 }]);
    for (const { index, actor, objects } of begun) {
      expect({ actor, objects }).toEqual({
        actor: 'ada',
        objects: [{ type: 'version', id: 'scores@1', digest }],
      });
      const outcome = entries.find(({ of }) => of === index);
      expect(outcome).toMatchObject({ phase: 'outcome', outcome: 'ok', actor: 'ada' });
    }
    const { entries: all } = await app.client.audit.list({ limit: 500 });
    const text = JSON.stringify(all);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(served.token);
    expect(all[0]?.entry).toMatchObject({
      action: 'serve.stop',
      details: { requests: 3, failed: 1, rows: 3, turnedAway: 0 },
    });
    await app.client.vault.seal(null);
    await app.as('ada');
    const operation = await app.wait(
      (await import('#shared/contract/index.ts')).contract.audit.verify,
      app.client.audit.verify({}),
    );
    expect(operation.status).toBe('intact');
  });
});

describe('while requests are under way', () => {
  test('a seal ends them, and the log says what became of each', async () => {
    const app = await openServingApp();
    await importModel(app, 'slow', slowModel());
    const served = await serve(app);
    const ask = (count: number): Promise<HttpAnswer> =>
      served.ask('/v2/models/slow/infer', { body: turns(count) });
    expect(dataOf(await ask(7))).toEqual([7]);
    // Longer than a seal waits for, and one behind it.
    const endless = Promise.all([ask(2_000_000_000), ask(1)]);
    await expect
      .poll(
        async () =>
          (await entriesOf(app, 'serve.infer')).filter(({ phase }) => phase === 'begin').length,
      )
      .toBe(3);
    await app.client.vault.seal(null);
    expect((await endless).map(({ status }) => status)).toEqual([503, 503]);
    await app.as('ada');
    const entries = await entriesOf(app, 'serve.infer');
    for (const begin of entries.filter(({ phase }) => phase === 'begin'))
      expect(entries.filter(({ of }) => of === begin.index)).toHaveLength(1);
    expect(entries.filter(({ outcome }) => outcome === 'cancelled')).toHaveLength(2);
  });

  test('new keys of the vault do not disturb them', async () => {
    const app = await openServingApp();
    await importModel(app, 'scores', matrixModel());
    await importModel(app, 'slow', slowModel());
    const served = await serve(app);
    expect((await infer(served, [1, 2])).status).toBe(200);
    await app.client.keys.rotate({ purposes: ['models', 'audit', 'catalog'], reason });
    expect((await infer(served, [1, 2])).status).toBe(200);
    expect((await served.ask('/v2/models/slow/infer', { body: turns(1) })).status).toBe(200);
    await app.client.serving.stop(null);
    const entries = await entriesOf(app, 'serve.infer');
    expect(entries.filter(({ outcome }) => outcome === 'ok')).toHaveLength(3);
  });
});

describe('many at once', () => {
  test('one more than may wait is told to come again, and all the others are answered', async () => {
    const app = await openServingApp();
    await importModel(app, 'slow', slowModel());
    const served = await serve(app);
    const ask = (count: number): Promise<HttpAnswer> =>
      served.ask('/v2/models/slow/infer', { body: turns(count) });
    await ask(1);
    // Seconds, so that the others come while it is under way on a busy machine too.
    const first = ask(4_000_000);
    const answers = await Promise.all([first, ...Array.from({ length: 40 }, () => ask(1))]);
    const count = (status: number): number =>
      answers.filter((answer) => answer.status === status).length;
    expect(count(200) + count(503)).toBe(41);
    expect(count(503)).toBeGreaterThan(0);
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers['retry-after']).toBe('1');
    const busy = (await entriesOf(app, 'serve.infer')).filter(({ code }) => code === 'busy');
    expect(busy.length).toBe(count(503));
  });

  test('are joined when a delay is set, and each gets what it would have got alone', async () => {
    const app = await openServingApp();
    await importModel(app, 'scores', matrixModel());
    const served = await serve(app, { maxQueueDelayMicroseconds: 200_000, maxBatch: 8 });
    await infer(served, [0, 0]);
    const asked = Array.from({ length: 24 }, (_, at) =>
      Array.from({ length: 2 * ((at % 3) + 1) }, (_none, each) => at * 10 + each),
    );
    const answers = await Promise.all(asked.map((values) => infer(served, values)));
    expect(answers.map(dataOf)).toEqual(asked.map(scoresOf));
    const [statistics] = (await app.client.serving.status(null)).models;
    expect(statistics?.succeeded).toBe(25);
    expect(statistics?.inferences).toBe(49);
    expect(statistics?.executions).toBeLessThan(25);
  });
});
