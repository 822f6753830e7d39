/** Attributes of a node as short texts. */
import { tensorTypes, type OnnxAttribute, type OnnxTensor } from '#domain/onnx/index.ts';
import type { GraphNode } from '#shared/contract/graph.ts';
import { attributeDigest } from './digests.ts';
import { shapeText, shownText } from './names.ts';

type Shown = GraphNode['attributes'][number];

/** Longer lists show their beginning and how many there are. */
const listed = 8;
const mostAttributes = 1000;

export function shownAttributes(attributes: readonly OnnxAttribute[]): Shown[] {
  return attributes.slice(0, mostAttributes).map(shownAttribute);
}

function shownAttribute(attribute: OnnxAttribute): Shown {
  const [type, value, isWhole] = describe(attribute);
  const text = shownText(value);
  return {
    name: shownText(attribute.name ?? ''),
    type,
    value: text,
    digest: isWhole && text === value ? null : attributeDigest(attribute),
  };
}

function describe(
  attribute: OnnxAttribute,
): readonly [type: string, value: string, isWhole: boolean] {
  const { f, i, s, t, g, floats, ints, strings, tensors, graphs, sparseTensor, sparseTensors } =
    attribute;
  const elided = attribute.elided ?? {};
  if (f !== undefined) return ['float', floatText(f), true];
  if (i !== undefined) return ['int', String(i), true];
  if (s !== undefined)
    return elided['s'] === undefined
      ? ['string', Buffer.from(s).toString('utf8'), true]
      : ['string', `${elided['s']} bytes`, false];
  if (t !== undefined) return ['tensor', tensorText(t), false];
  if (g !== undefined) return ['graph', g.name ?? '', true];
  if (sparseTensor !== undefined) return ['sparse tensor', shapeText(sparseTensor.dims), false];
  const list = (
    type: string,
    items: readonly string[],
    field: string,
  ): readonly [string, string, boolean] => {
    const count = items.length + (elided[field] ?? 0);
    const isWhole = count <= listed;
    return [
      type,
      isWhole ? items.join(', ') : `${items.slice(0, listed).join(', ')} … (${count})`,
      isWhole,
    ];
  };
  if (floats.length + (elided['floats'] ?? 0) > 0)
    return list(
      'floats',
      floats
        .slice(0, listed + 1)
        .map(floatText)
        .concat(blanks(floats)),
      'floats',
    );
  if (ints.length + (elided['ints'] ?? 0) > 0)
    return list(
      'ints',
      ints
        .slice(0, listed + 1)
        .map(String)
        .concat(blanks(ints)),
      'ints',
    );
  if (strings.length > 0)
    return list(
      'strings',
      strings
        .slice(0, listed + 1)
        .map((text) => Buffer.from(text).toString('utf8'))
        .concat(blanks(strings)),
      'strings',
    );
  if (tensors.length > 0)
    return ['tensors', tensors.slice(0, listed).map(tensorText).join(', '), false];
  if (graphs.length > 0)
    return [
      'graphs',
      graphs
        .slice(0, listed)
        .map(({ name }) => name ?? '')
        .join(', '),
      false,
    ];
  if (sparseTensors.length > 0) return ['sparse tensors', String(sparseTensors.length), false];
  return ['', '', true];
}

/** Stand for items that are not shown, so that they are counted. */
const blanks = (items: readonly unknown[]): string[] =>
  Array.from({ length: Math.max(0, items.length - listed - 1) }, () => '');

/** As many digits as a 32-bit float has. */
function floatText(value: number): string {
  return String(Number(value.toPrecision(7)));
}

function tensorText({ dataType, dims }: OnnxTensor): string {
  return `${tensorTypes[dataType ?? 0] ?? '?'} ${shapeText(dims)}`;
}
