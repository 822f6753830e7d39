/**
 * What a resident child can be asked. A kind is one file that the child alone loads, with `answer`, a line here that says where
 * it is, and one in `replies.ts`, the schema by which the core reads the JSON part of its reply.
 */
import type { Pipeline } from '#domain/pipeline/index.ts';
import type { Tensors } from '../frames.ts';
import type { SealedFile } from '../protocol.ts';
import type { LoadedModel } from '../runtime.ts';

/** In the child; one for all requests. */
export interface ResidentContext {
  readonly model: LoadedModel;
  readonly pipeline: Pipeline | undefined;
  readonly files: {
    readonly model: SealedFile;
    /** Rows that the bundle brings to compare with. */
    readonly reference: SealedFile | null;
  };
}

export type Answer<Body, Value> = (
  request: { readonly body: Body; readonly tensors: Tensors },
  context: ResidentContext,
) => Promise<{ readonly value: Value; readonly tensors?: Tensors }>;

export const residentKinds = {
  describe: () => import('./describe.ts'),
  infer: () => import('./infer.ts'),
  rows: () => import('./rows.ts'),
  form: () => import('./form.ts'),
  predict: () => import('./predict.ts'),
  explain: () => import('./explain.ts'),
  change: () => import('./change.ts'),
  reasons: () => import('./reasons.ts'),
} as const satisfies Record<string, () => Promise<{ readonly answer: unknown }>>;

type Kinds = typeof residentKinds;
type AnswerOf<K extends KindName> = Awaited<ReturnType<Kinds[K]>>['answer'];

export type KindName = keyof Kinds;
export type BodyOf<K extends KindName> =
  AnswerOf<K> extends Answer<infer Body, infer _> ? Body : never;
export type ValueOf<K extends KindName> =
  AnswerOf<K> extends Answer<infer _, infer Value> ? Value : never;
