/** What everybody asks of a node. */
import type { OnnxAttribute, OnnxNode } from './model.ts';

export function attributeOf(
  { attributes }: Pick<OnnxNode, 'attributes'>,
  name: string,
): OnnxAttribute | undefined {
  return attributes.find((attribute) => attribute.name === name);
}

/** Of ONNX's own operators, which go without a domain, or by its long name: a node, or an import of an operator set. */
export function isStandard({ domain = '' }: { readonly domain?: string }): boolean {
  return domain === '' || domain === 'ai.onnx';
}
