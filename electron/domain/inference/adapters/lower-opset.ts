/**
 * Operator set 22 gave many operators new types and nothing else, and the runtime has some of them, such as RoiAlign, in their older version
 * only. A model that uses nothing newer is one of operator set 21.
 */
import type { OnnxModel } from '#domain/onnx/index.ts';
import { opsetOf, withOpset } from './graph-edit.ts';

const target = 21;

/** Undefined when that is no way out; when the model uses something newer, the runtime will say so. */
export function lowerOpset(model: OnnxModel, lackingVersion: number): OnnxModel | undefined {
  if (opsetOf(model.opsetImports) <= target || lackingVersion <= target) return undefined;
  return withOpset(model, target);
}
