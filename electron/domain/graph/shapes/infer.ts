/**
 * Types and shapes of the values in a graph, where the file does not tell them: what each operator makes of its inputs, by the
 * operators' definitions (ONNX opset 1 to 25, and ai.onnx.ml). It knows the common ones; of any other it says that it does not
 * know, and so of whatever depends on that. Short lists of integers are followed too, because models compute shapes from them.
 */
import { attributeOf, type OnnxAttribute, type OnnxNode } from '#domain/onnx/index.ts';
import { arithmeticRules } from './arithmetic.ts';
import { classicRules } from './classic.ts';
import type { Call, Known } from './known.ts';
import { rearrangingRules } from './rearranging.ts';
import { windowRules } from './windows.ts';

const standardRules = new Map([...arithmeticRules, ...rearrangingRules, ...windowRules]);

/** One for each output of the node, as far as they are known. */
export function inferOutputs(node: OnnxNode, inputs: readonly Known[]): readonly Known[] {
  const attribute = (name: string): OnnxAttribute | undefined => attributeOf(node, name);
  const call: Call = {
    node,
    inputs,
    attribute,
    int(name, otherwise) {
      const value = attribute(name)?.i;
      return value === undefined ? otherwise : Number(value);
    },
    ints(name) {
      const list = attribute(name)?.ints;
      return list === undefined || list.length === 0 ? undefined : list.map(Number);
    },
  };
  const rules = (node.domain ?? '') === 'ai.onnx.ml' ? classicRules : standardRules;
  return rules.get(node.opType ?? '')?.(call) ?? [];
}
