/**
 * What a request of the protocol gets: the route, the version that it names, the model's answer, and for each inference its entries in
 * the log. A bare model name is the version in production; others are asked for by number. Only versions that may run are
 * served. Inputs and outputs are seen by nobody but the model and the caller.
 */
import { AppError, type ErrorBody, type ErrorCode } from '#shared/errors.ts';
import type { Clock } from '#platform/clock.ts';
import {
  countRows,
  inferReply,
  modelMetadata,
  parseInferRequest,
  parseJson,
  readRoute,
  repositoryIndex,
  servedName,
  serverMetadata,
  type Form,
  type FailureReason,
  type InferRoute,
  type LookRoute,
  type Statistics,
} from '#domain/serving/index.ts';
import { runnableStages, type Registry, type ResolvedVersion } from '#domain/registry/index.ts';
import { HttpError, type HttpReply, type HttpRequest } from '../serving/listener.ts';
import type { CallFacts, CallLog } from './call-log.ts';
import { errorToBody } from './error-envelope.ts';
import { hasOwnPipeline, requireFiles, requireRunnable } from './model-access.ts';
import type { OpenVaultState } from './open-state.ts';
import type { ServedVersions } from './served-versions.ts';

/** Of all versions together, from the first byte to the reply. */
const mostInHand = 64;

export type Answer = (request: HttpRequest) => Promise<HttpReply>;

export function answerCalls(deps: {
  /** The open vault, for somebody who asks for something now. Throws `locked`. */
  readonly admit: () => OpenVaultState;
  readonly versions: ServedVersions;
  readonly log: CallLog;
  readonly statistics: Statistics;
  readonly clock: Clock;
  readonly version: string;
}): Answer {
  const { admit, log, statistics, versions } = deps;
  /** Inferences that have begun and have no reply. */
  let inHand = 0;
  async function answer(request: HttpRequest): Promise<HttpReply> {
    const asked = readRoute(request.method, request.target);
    if ('problem' in asked) {
      if (asked.problem === 'unknown') throw new HttpError(404, 'There is nothing at this path.');
      throw new HttpError(405, `This path takes ${asked.allow}.`, { allow: asked.allow });
    }
    const { route } = asked;
    if (route.kind === 'infer') {
      inHand += 1;
      return infer(route, request).finally(() => (inHand -= 1));
    }
    try {
      return await look(route, request);
    } catch (error) {
      throw error instanceof HttpError ? error : toHttp(errorToBody(error));
    }
  }

  async function look(route: LookRoute, request: HttpRequest): Promise<HttpReply> {
    const opened = admit();
    const { registry } = opened;
    switch (route.kind) {
      case 'live':
        return json({ live: true });
      case 'ready':
        // The protocol calls the field `live` here too; KServe and its client call it `ready`.
        return json({ live: true, ready: true });
      case 'server':
        return json(serverMetadata(deps.version));
      case 'metrics':
        return {
          status: 200,
          headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
          body: statistics.toPrometheus(),
        };
      case 'stats':
        if (route.model !== undefined) versionsOf(registry, route.model, route.version);
        return json(
          route.model === undefined
            ? statistics.toJson()
            : statistics.toJson(servedName(route.model, route.form ?? 'tensors'), route.version),
        );
      case 'index':
        return json(repositoryIndex(allVersions(registry), await wantsReady(request)));
      case 'model': {
        const version = runnable(registry, route);
        const others = versionsOf(registry, route.model).filter(({ stage }) => mayRun(stage));
        const { tensors } = await versions.of(version, route.form);
        return json(
          modelMetadata(
            { model: version.model, form: route.form },
            others.map((each) => each.version),
            tensors,
          ),
        );
      }
      case 'model-ready':
        return ready(registry, route);
    }
  }

  async function infer(route: InferRoute, request: HttpRequest): Promise<HttpReply> {
    const body = await request.body();
    let objects: CallFacts['objects'] = [{ type: 'model', id: referenceOf(route).slice(0, 300) }];
    let version: ResolvedVersion | undefined;
    let announced: number | undefined;
    const facts = (rows: number) => (route.form === 'rows' ? { rows, form: 'rows' } : { rows });
    const elapsedNs = (): number => (performance.now() - request.since) * 1e6;
    try {
      const opened = admit();
      version = runnable(opened.registry, route);
      const { model, version: number, digest } = version;
      objects = [{ type: 'version', id: `${model}@${number}`, digest }];
      const { tensors, queue } = await versions.of(version, route.form);
      const parsed = parseInferRequest(body, request.jsonBytes, tensors);
      const rows = countRows(tensors, parsed.feeds);
      queue.requireRoom();
      // One connection can ask without waiting for its replies.
      if (inHand > mostInHand)
        throw new AppError('busy', `${mostInHand} requests are under way already. Try again.`);
      announced = await log.announce({ objects, details: facts(rows) });
      const { results, times } = await queue.submit({
        feeds: parsed.feeds,
        rows,
        timeoutMicroseconds: parsed.timeoutMicroseconds,
        signal: request.signal,
      });
      const reply = inferReply(
        { model: servedName(model, route.form), version: number, tensors },
        parsed,
        results,
      );
      const at = deps.clock().getTime();
      statistics.succeeded(counted(version, route.form), {
        ...times,
        rows,
        totalNs: elapsedNs(),
        at,
      });
      log.outcome(announced, { objects, outcome: 'ok', details: facts(rows) });
      return {
        status: 200,
        headers:
          reply.jsonBytes === undefined
            ? { 'content-type': 'application/json' }
            : {
                'content-type': 'application/octet-stream',
                'inference-header-content-length': String(reply.jsonBytes),
              },
        body: reply.body,
      };
    } catch (error) {
      const known = errorToBody(error);
      const { code } = known;
      if (version !== undefined)
        statistics.failed(counted(version, route.form), reasonOf(code, announced), elapsedNs());
      const outcome = outcomeOf(code);
      if (announced === undefined) log.event({ objects, outcome, code });
      else log.outcome(announced, { objects, outcome, code });
      throw toHttp(known);
    }
  }

  return answer;
}

type ModelRoute = { readonly model: string; readonly form: Form; readonly version?: number };

/** Throws `not-found`, and `refused` for what may not run. */
function runnable(registry: Registry, route: ModelRoute): ResolvedVersion {
  const version = registry.resolve(referenceOf(route));
  requireFiles(version);
  requireRunnable(version);
  return version;
}

/** Tensors and rows of a version are counted apart: they are models of their own to whoever asks, and differ in what they cost. */
const counted = ({ model, version }: ResolvedVersion, form: Form) => ({
  model: servedName(model, form),
  version,
});

const referenceOf = ({ model, version }: ModelRoute): string =>
  `${model}@${version ?? 'production'}`;

const mayRun = (stage: ResolvedVersion['stage']): boolean => runnableStages.includes(stage);

function versionsOf(
  registry: Registry,
  model: string,
  version?: number,
): ReturnType<Registry['show']>['versions'] {
  const { versions } = registry.show(model);
  if (version !== undefined) registry.resolve(`${model}@${version}`);
  return versions;
}

function allVersions(registry: Registry): Parameters<typeof repositoryIndex>[0] {
  return registry.list().flatMap(({ name }) =>
    registry.show(name).versions.flatMap(({ version, stage }) =>
      formsOf(registry.resolve(`${name}@${version}`)).map((form) => ({
        model: name,
        form,
        version,
        notReady: mayRun(stage) ? undefined : stage,
      })),
    ),
  );
}

/** Rows can be sent to any version that takes them; they are listed where somebody said what their columns mean. */
function formsOf(version: ResolvedVersion): readonly Form[] {
  return hasOwnPipeline(version) || version.binding !== undefined
    ? ['tensors', 'rows']
    : ['tensors'];
}

/** Not ready is a 4xx, as the protocol has it: 404 for what is not there, 400 for what may not run. */
function ready(registry: Registry, route: ModelRoute): HttpReply {
  try {
    const { model } = runnable(registry, route);
    return json({ name: servedName(model, route.form), ready: true });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'refused') throw error;
    const name = servedName(route.model, route.form);
    return { ...json({ name, ready: false }), status: 400 };
  }
}

/** The body of an index request may be empty. */
async function wantsReady(request: HttpRequest): Promise<boolean> {
  const body = Buffer.from(await request.body()).toString('utf8');
  const asked = body === '' ? {} : parseJson(body);
  return typeof asked === 'object' && asked !== null && 'ready' in asked && asked.ready === true;
}

function json(value: object): HttpReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  };
}

function outcomeOf(code: ErrorCode): 'cancelled' | 'refused' | 'error' {
  if (code === 'cancelled' || code === 'locked') return 'cancelled';
  return code === 'refused' || code === 'busy' ? 'refused' : 'error';
}

function reasonOf(code: ErrorCode, announced: number | undefined): FailureReason {
  if (code === 'busy') return 'REJECTED';
  if (code === 'cancelled' || code === 'locked') return 'CANCELED';
  return announced === undefined || code === 'invalid-input' ? 'OTHER' : 'BACKEND';
}

const statusByCode: Readonly<Record<ErrorCode, number>> = {
  'invalid-input': 400,
  'not-found': 404,
  conflict: 409,
  locked: 503,
  'wrong-password': 401,
  forbidden: 403,
  refused: 403,
  corrupt: 500,
  tampered: 500,
  limit: 500,
  unsupported: 501,
  unavailable: 500,
  busy: 503,
  cancelled: 503,
  io: 500,
  internal: 500,
};

function toHttp({ code, message }: ErrorBody): HttpError {
  return new HttpError(statusByCode[code], message, code === 'busy' ? { 'retry-after': '1' } : {});
}
