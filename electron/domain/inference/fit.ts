/** In the child: from an adapted model to a session, by way of what the runtime says it lacks. */
import { writeModel, type OnnxModel } from '#domain/onnx/index.ts';
import { lowerOpset } from './adapters/lower-opset.ts';
import { lackingSentence, widenFurther } from './adapters/widen.ts';
import { lackingOperator, loadFailure, refusedType } from './load-errors.ts';

/** `create` makes the session of a model's bytes, which are zeroed afterwards. Throws what `loadFailure` makes of its errors. */
export async function createFitting<Session>(
  model: OnnxModel,
  create: (bytes: Uint8Array) => Promise<Session>,
): Promise<Session> {
  try {
    return await createWidened(model, create);
  } catch (cause) {
    const lacking = lackingOperator(cause);
    if (lacking === undefined) throw loadFailure(cause, undefined);
    const lowered = lowerOpset(model, lacking.opset);
    if (lowered !== undefined) {
      try {
        return await createWidened(lowered, create);
      } catch {
        // What the model itself lacks is what its maker can do something about.
      }
    }
    throw loadFailure(cause, lackingSentence(lacking, model));
  }
}

/** Each operator that the runtime lacks goes one step further, until the runtime has them all or there is no further step. */
async function createWidened<Session>(
  model: OnnxModel,
  create: (bytes: Uint8Array) => Promise<Session>,
): Promise<Session> {
  const levels = new Map<string, number>();
  let fitting = model;
  let reason: unknown;
  for (;;) {
    const bytes = writeModel(fitting);
    try {
      return await create(bytes);
    } catch (cause) {
      const lacking = lackingOperator(cause);
      // What a step made of the model is not what the model lacks.
      if (lacking !== undefined || reason === undefined) reason = cause;
      // Not every operator takes every wider type.
      const operator = lacking?.isKnown === true ? lacking.operator : refusedType(cause);
      const next =
        operator !== undefined && (lacking !== undefined || levels.has(operator))
          ? widenFurther(model, levels, operator)
          : undefined;
      if (next === undefined) throw reason;
      fitting = next;
    } finally {
      // The runtime has its own copies, or has the files mapped.
      bytes.fill(0);
    }
  }
}
