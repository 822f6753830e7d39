import { expect, test } from 'vitest';
import {
  createStatistics,
  modelMetadata,
  readRoute,
  repositoryIndex,
  serverMetadata,
} from '#domain/serving/index.ts';

test('paths of the protocol, and no others', () => {
  expect(readRoute('GET', '/v2')).toEqual({ route: { kind: 'server' } });
  expect(readRoute('GET', '/v2/health/live?verbose=1')).toEqual({ route: { kind: 'live' } });
  expect(readRoute('POST', '/v2/models/credit%20risk/versions/3/infer')).toEqual({
    route: { kind: 'infer', model: 'credit risk', form: 'tensors', version: 3 },
  });
  for (const name of ['m:rows', 'm%3Arows'])
    expect(readRoute('POST', `/v2/models/${name}/infer`)).toEqual({
      route: { kind: 'infer', model: 'm', form: 'rows' },
    });
  expect(readRoute('GET', '/v2/models/stats')).toEqual({ route: { kind: 'stats' } });
  expect(readRoute('GET', '/v2/models/m/stats')).toEqual({
    route: { kind: 'stats', model: 'm', form: 'tensors' },
  });
  expect(readRoute('GET', '/v2/models/m/ready')).toEqual({
    route: { kind: 'model-ready', model: 'm', form: 'tensors' },
  });
  expect(readRoute('GET', '/v2/models/m/infer')).toEqual({ problem: 'method', allow: 'POST' });
  expect(readRoute('OPTIONS', '/v2')).toEqual({ problem: 'method', allow: 'GET' });
  for (const path of [
    '/',
    '/v1/models/m',
    '/v2/models',
    '/v2/models//infer',
    '/v2/models/:rows/infer',
    '/v2/models/%ff/infer',
    '/v2/models/m/versions/0/infer',
    '/v2/models/m/versions/latest',
    '/v2/models/m/versions/1/infer/x',
    '/v2/repository/models/m/load',
    '/__proto__',
  ])
    expect(readRoute('GET', path), path).toEqual({ problem: 'unknown' });
});

test('metadata as the protocol names it', () => {
  expect(serverMetadata('0.1.0')).toEqual({
    name: 'strongroom',
    version: '0.1.0',
    extensions: ['binary_tensor_data', 'parameters', 'statistics'],
  });
  const inputs = [
    { name: 'x', kind: 'tensor', type: 'float16', shape: ['N', 3, null] },
    { name: 'text', kind: 'tensor', type: 'string', shape: [1] },
  ] as const;
  expect(
    modelMetadata({ model: 'm', form: 'tensors' }, [2, 1], {
      inputs: inputs.map((each) => ({ ...each, shape: [...each.shape] })),
      outputs: [],
    }),
  ).toEqual({
    name: 'm',
    versions: ['2', '1'],
    platform: 'onnx_onnxv1',
    inputs: [
      { name: 'x', datatype: 'FP16', shape: [-1, 3, -1] },
      { name: 'text', datatype: 'BYTES', shape: [1] },
    ],
    outputs: [],
  });
  const versions = [
    { model: 'm', form: 'rows', version: 2, notReady: undefined },
    { model: 'm', form: 'tensors', version: 1, notReady: 'retired' },
  ] as const;
  expect(repositoryIndex(versions, false)).toEqual([
    { name: 'm:rows', version: '2', state: 'READY', reason: '' },
    { name: 'm', version: '1', state: 'UNAVAILABLE', reason: 'retired' },
  ]);
  expect(repositoryIndex(versions, true)).toHaveLength(1);
});

test('statistics and metrics as Triton names them', () => {
  const statistics = createStatistics();
  const version = { model: 'credit "risk"', version: 3 };
  const times = { inputNs: 1000, inferNs: 20_000, outputNs: 3000 };
  statistics.waiting(version, 2);
  statistics.waiting(version, -1);
  statistics.executed(version, 5, times);
  const request = { ...times, queueNs: 500, totalNs: 30_000, at: 1_900_000_000_000 };
  statistics.succeeded(version, { ...request, rows: 2 });
  statistics.succeeded(version, { ...request, rows: 3 });
  statistics.failed(version, 'REJECTED', 700);
  const twice = (ns: number): object => ({ count: 2, ns: 2 * ns });
  const once = (ns: number): object => ({ count: 1, ns });
  expect(statistics.toJson('credit "risk"', 3)).toEqual({
    model_stats: [
      {
        name: 'credit "risk"',
        version: '3',
        last_inference: 1_900_000_000_000,
        inference_count: 5,
        execution_count: 1,
        inference_stats: {
          success: twice(30_000),
          fail: once(700),
          queue: twice(500),
          compute_input: twice(1000),
          compute_infer: twice(20_000),
          compute_output: twice(3000),
          cache_hit: { count: 0, ns: 0 },
          cache_miss: { count: 0, ns: 0 },
        },
        batch_stats: [
          {
            batch_size: 5,
            compute_input: once(1000),
            compute_infer: once(20_000),
            compute_output: once(3000),
          },
        ],
      },
    ],
  });
  expect(statistics.toJson('other')).toEqual({ model_stats: [] });
  expect(statistics.toJson('credit "risk"', 4)).toEqual({ model_stats: [] });
  const lines = statistics.toPrometheus().split('\n');
  const labels = 'model="credit \\"risk\\"",version="3"';
  for (const line of [
    '# TYPE nv_inference_request_success counter',
    `nv_inference_request_success{${labels}} 2`,
    `nv_inference_request_failure{${labels},reason="REJECTED"} 1`,
    `nv_inference_request_failure{${labels},reason="BACKEND"} 0`,
    `nv_inference_count{${labels}} 5`,
    `nv_inference_exec_count{${labels}} 1`,
    `nv_inference_request_duration_us{${labels}} 60`,
    `nv_inference_queue_duration_us{${labels}} 1`,
    `nv_inference_compute_input_duration_us{${labels}} 2`,
    `nv_inference_compute_infer_duration_us{${labels}} 40`,
    `nv_inference_compute_output_duration_us{${labels}} 6`,
    '# TYPE nv_inference_pending_request_count gauge',
    `nv_inference_pending_request_count{${labels}} 1`,
  ])
    expect(lines).toContain(line);
  for (const line of lines)
    expect(line).toMatch(/^$|^# (HELP|TYPE) nv_[a-z_]+ .+$|^nv_[a-z_]+\{[^\n]+\} \d+$/);
  expect(statistics.list()).toMatchObject([{ succeeded: 2, failed: 1, meanMs: 0.03 }]);
});
