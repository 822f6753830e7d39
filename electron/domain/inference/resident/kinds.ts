/**
 * What a resident child can be asked. A kind is one file that the child alone loads, with `answer`, and one line here: the
 * schema by which the core reads the JSON part of the reply, and where the file is.
 */
import { z } from 'zod';
import { tensorSpec } from '#shared/contract/bundles.ts';
import {
  changeFacts,
  explanationFacts,
  predictionFacts,
  reasonFacts,
  recordFormFacts,
} from '#shared/contract/records.ts';
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

interface Kind<Body, Value> {
  readonly value: z.ZodType<Value>;
  load(): Promise<{ readonly answer: Answer<Body, Value> }>;
}

function kind<Body, Value>(
  value: z.ZodType<Value>,
  load: Kind<Body, Value>['load'],
): Kind<Body, Value> {
  return { value, load };
}

export const modelDescription = z.strictObject({
  /** As the model is called here, where maps are tensors already. */
  inputs: z.array(tensorSpec),
  outputs: z.array(tensorSpec),
  labelsByOutput: z.record(z.string(), z.array(z.string())),
});

export const residentKinds = {
  describe: kind(modelDescription, () => import('./describe.ts')),
  infer: kind(z.null(), () => import('./infer.ts')),
  form: kind(recordFormFacts, () => import('./form.ts')),
  predict: kind(predictionFacts, () => import('./predict.ts')),
  explain: kind(explanationFacts, () => import('./explain.ts')),
  change: kind(changeFacts, () => import('./change.ts')),
  reasons: kind(reasonFacts, () => import('./reasons.ts')),
} as const;

type Kinds = typeof residentKinds;
export type KindName = keyof Kinds;
export type BodyOf<K extends KindName> = Kinds[K] extends Kind<infer Body, infer _> ? Body : never;
export type ValueOf<K extends KindName> =
  Kinds[K] extends Kind<infer _, infer Value> ? Value : never;
