/** The paths of the protocol (OIP v2 REST, Triton's statistics, repository index and metrics), read and nothing else. */

/**
 * What is sent to a version. `tensors`: those of its file. `rows`: one tensor for each column that its pipeline reads, asked for
 * as a model of its own, `NAME:rows`, as Triton has an ensemble beside the models that it is made of.
 */
export type Form = 'tensors' | 'rows';

interface OfModel {
  readonly model: string;
  readonly form: Form;
  readonly version?: number;
}
export type InferRoute = { readonly kind: 'infer' } & OfModel;
/** Everything that only looks. */
export type LookRoute =
  | { readonly kind: 'server' | 'live' | 'ready' | 'index' | 'metrics' }
  | ({ readonly kind: 'stats' } & Partial<OfModel>)
  | ({ readonly kind: 'model' | 'model-ready' } & OfModel);
export type Route = InferRoute | LookRoute;

export type RouteAnswer =
  | { readonly route: Route }
  | { readonly problem: 'unknown' }
  | { readonly problem: 'method'; readonly allow: 'GET' | 'POST' };

const fixed: Readonly<Record<string, { readonly method: 'GET' | 'POST'; readonly route: Route }>> =
  {
    '/v2': { method: 'GET', route: { kind: 'server' } },
    '/v2/': { method: 'GET', route: { kind: 'server' } },
    '/v2/health/live': { method: 'GET', route: { kind: 'live' } },
    '/v2/health/ready': { method: 'GET', route: { kind: 'ready' } },
    '/v2/models/stats': { method: 'GET', route: { kind: 'stats' } },
    '/v2/repository/index': { method: 'POST', route: { kind: 'index' } },
    '/metrics': { method: 'GET', route: { kind: 'metrics' } },
  };

/** No name of a model has a colon in it. */
const rowsEnding = ':rows';

/** As it is asked for. */
export function servedName(model: string, form: Form): string {
  return form === 'rows' ? `${model}${rowsEnding}` : model;
}

const ofModel = /^\/v2\/models\/([^/]+)(?:\/versions\/([1-9]\d{0,8}))?(?:\/(ready|stats|infer))?$/;

/** `target` is the request target as it came; what stands after a `?` means nothing here. */
export function readRoute(method: string, target: string): RouteAnswer {
  const path = target.split('?', 1)[0] ?? '';
  const known = Object.hasOwn(fixed, path) ? fixed[path] : undefined;
  if (known !== undefined)
    return method === known.method
      ? { route: known.route }
      : { problem: 'method', allow: known.method };
  const [, encoded = '', digits, act] = ofModel.exec(path) ?? [];
  const name = decoded(encoded) ?? '';
  const form: Form = name.endsWith(rowsEnding) ? 'rows' : 'tensors';
  const model = form === 'rows' ? name.slice(0, -rowsEnding.length) : name;
  if (model === '') return { problem: 'unknown' };
  const allow = act === 'infer' ? 'POST' : 'GET';
  if (method !== allow) return { problem: 'method', allow };
  const of = { model, form, ...(digits === undefined ? {} : { version: Number(digits) }) };
  switch (act) {
    case 'infer':
      return { route: { kind: 'infer', ...of } };
    case 'ready':
      return { route: { kind: 'model-ready', ...of } };
    case 'stats':
      return { route: { kind: 'stats', ...of } };
    default:
      return { route: { kind: 'model', ...of } };
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a percent sign that begins no character
  }
}
