/**
 * What serving has done since it was started, by model and version, counted and named as Triton does: its statistics extension
 * (`GET v2/models/stats`) and its Prometheus page (`GET /metrics`). Durations are nanoseconds inside, microseconds on the page.
 */

/** One execution of a model, for one request or for several joined ones. Nanoseconds. */
export interface ExecutionTimes {
  readonly inputNs: number;
  readonly inferNs: number;
  readonly outputNs: number;
}

/** Triton's reasons: the queue was full, the caller went away or it was stopped, the model failed, anything else. */
export type FailureReason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';
const failureReasons: readonly FailureReason[] = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'];

interface Duration {
  count: number;
  ns: number;
}

interface Counters {
  readonly model: string;
  readonly version: number;
  lastInference: number;
  inferences: number;
  executions: number;
  pending: number;
  readonly failures: Record<FailureReason, number>;
  readonly success: Duration;
  readonly fail: Duration;
  readonly queue: Duration;
  readonly input: Duration;
  readonly infer: Duration;
  readonly output: Duration;
  readonly batches: Map<number, { input: Duration; infer: Duration; output: Duration }>;
}

/** For people: what the window and the command line show of a version. */
export interface VersionStatistics {
  readonly model: string;
  readonly version: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly inferences: number;
  readonly executions: number;
  readonly pending: number;
  /** Mean over the successful requests, from the first byte read to the reply; null before there is one. */
  readonly meanMs: number | null;
  readonly meanInferMs: number | null;
  /** Milliseconds since the epoch; null before there is one. */
  readonly lastInference: number | null;
}

export interface Statistics {
  /** So many more requests wait for the version now; fewer when negative. */
  waiting(of: Version, more: number): void;
  succeeded(
    of: Version,
    request: ExecutionTimes & {
      readonly rows: number;
      readonly queueNs: number;
      readonly totalNs: number;
      readonly at: number;
    },
  ): void;
  failed(of: Version, reason: FailureReason, totalNs: number): void;
  /** `batchSize`: rows that were run at once. */
  executed(of: Version, batchSize: number, times: ExecutionTimes): void;
  list(): VersionStatistics[];
  /** Triton's `$stats_model_response`; of one model or version where they are named. */
  toJson(model?: string, version?: number): object;
  /** Prometheus text format 0.0.4. */
  toPrometheus(): string;
}

interface Version {
  readonly model: string;
  readonly version: number;
}

export function createStatistics(): Statistics {
  const counters = new Map<string, Counters>();
  const of = ({ model, version }: Version): Counters => {
    const key = `${version}@${model}`;
    const found = counters.get(key) ?? emptyCounters(model, version);
    counters.set(key, found);
    return found;
  };
  const all = (): Counters[] => [...counters.values()];
  return {
    waiting: (version, more) => void (of(version).pending += more),
    succeeded(version, { rows, queueNs, totalNs, at, ...times }) {
      const each = of(version);
      each.lastInference = at;
      each.inferences += rows;
      add(each.success, totalNs);
      add(each.queue, queueNs);
      addTimes(each, times);
    },
    failed(version, reason, totalNs) {
      const each = of(version);
      each.failures[reason] += 1;
      add(each.fail, totalNs);
    },
    executed(version, batchSize, times) {
      const each = of(version);
      each.executions += 1;
      const batch = each.batches.get(batchSize) ?? {
        input: none(),
        infer: none(),
        output: none(),
      };
      each.batches.set(batchSize, batch);
      addTimes(batch, times);
    },
    list: () => all().map(toVersionStatistics),
    toJson: (model, version) => ({
      model_stats: all()
        .filter((each) => model === undefined || each.model === model)
        .filter((each) => version === undefined || each.version === version)
        .map(toModelStat),
    }),
    toPrometheus: () => prometheusPage(all()),
  };
}

const none = (): Duration => ({ count: 0, ns: 0 });

function emptyCounters(model: string, version: number): Counters {
  return {
    model,
    version,
    lastInference: 0,
    inferences: 0,
    executions: 0,
    pending: 0,
    failures: { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 },
    success: none(),
    fail: none(),
    queue: none(),
    input: none(),
    infer: none(),
    output: none(),
    batches: new Map(),
  };
}

function add(to: Duration, ns: number): void {
  to.count += 1;
  to.ns += Math.round(ns);
}

function addTimes(
  to: { readonly input: Duration; readonly infer: Duration; readonly output: Duration },
  { inputNs, inferNs, outputNs }: ExecutionTimes,
): void {
  add(to.input, inputNs);
  add(to.infer, inferNs);
  add(to.output, outputNs);
}

function toVersionStatistics(each: Counters): VersionStatistics {
  const mean = ({ count, ns }: Duration): number | null => (count === 0 ? null : ns / count / 1e6);
  return {
    model: each.model,
    version: each.version,
    succeeded: each.success.count,
    failed: each.fail.count,
    inferences: each.inferences,
    executions: each.executions,
    pending: each.pending,
    meanMs: mean(each.success),
    meanInferMs: mean(each.infer),
    lastInference: each.lastInference === 0 ? null : each.lastInference,
  };
}

function toModelStat(each: Counters): object {
  return {
    name: each.model,
    version: String(each.version),
    last_inference: each.lastInference,
    inference_count: each.inferences,
    execution_count: each.executions,
    inference_stats: {
      success: each.success,
      fail: each.fail,
      queue: each.queue,
      compute_input: each.input,
      compute_infer: each.infer,
      compute_output: each.output,
      cache_hit: none(),
      cache_miss: none(),
    },
    batch_stats: [...each.batches]
      .toSorted(([a], [b]) => a - b)
      .map(([batchSize, { input, infer, output }]) => ({
        batch_size: batchSize,
        compute_input: input,
        compute_infer: infer,
        compute_output: output,
      })),
  };
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly value: (each: Counters) => number;
}

const micros = ({ ns }: Duration): number => Math.round(ns / 1000);
const metrics: readonly Metric[] = [
  {
    name: 'nv_inference_request_success',
    help: 'Number of successful inference requests, all batch sizes',
    type: 'counter',
    value: ({ success }) => success.count,
  },
  {
    name: 'nv_inference_count',
    help: 'Number of inferences performed',
    type: 'counter',
    value: ({ inferences }) => inferences,
  },
  {
    name: 'nv_inference_exec_count',
    help: 'Number of model executions performed',
    type: 'counter',
    value: ({ executions }) => executions,
  },
  {
    name: 'nv_inference_request_duration_us',
    help: 'Cumulative inference request duration in microseconds',
    type: 'counter',
    value: ({ success }) => micros(success),
  },
  {
    name: 'nv_inference_queue_duration_us',
    help: 'Cumulative inference queuing duration in microseconds',
    type: 'counter',
    value: ({ queue }) => micros(queue),
  },
  {
    name: 'nv_inference_compute_input_duration_us',
    help: 'Cumulative compute input duration in microseconds',
    type: 'counter',
    value: ({ input }) => micros(input),
  },
  {
    name: 'nv_inference_compute_infer_duration_us',
    help: 'Cumulative compute inference duration in microseconds',
    type: 'counter',
    value: ({ infer }) => micros(infer),
  },
  {
    name: 'nv_inference_compute_output_duration_us',
    help: 'Cumulative inference compute output duration in microseconds',
    type: 'counter',
    value: ({ output }) => micros(output),
  },
  {
    name: 'nv_inference_pending_request_count',
    help: 'Instantaneous number of pending requests awaiting execution',
    type: 'gauge',
    value: ({ pending }) => pending,
  },
];

function prometheusPage(all: readonly Counters[]): string {
  const head = (name: string, help: string, type: string): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
  ];
  const failure = 'nv_inference_request_failure';
  const lines = [
    ...metrics.flatMap(({ name, help, type, value }) => [
      ...head(name, help, type),
      ...all.map((each) => `${name}{${labels(each)}} ${value(each)}`),
    ]),
    ...head(failure, 'Number of failed inference requests, all batch sizes', 'counter'),
    ...all.flatMap((each) =>
      failureReasons.map(
        (reason) => `${failure}{${labels(each)},reason="${reason}"} ${each.failures[reason]}`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function labels({ model, version }: Version): string {
  const value = model.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `model="${value}",version="${version}"`;
}
