/** Fields that ONNX has and this product does not read, by message; all other numbers are nobody's, and could hold anything. */
import { tagOf, type Unknown } from '#domain/onnx/index.ts';
import type { Report } from './report.ts';

/** Numbers of onnx.proto, IR version 13. */
const alsoInOnnx = {
  model: [4, 5, 6, 26],
  opset: [],
  entry: [],
  graph: [10, 16],
  node: [6, 9, 10],
  attribute: [13, 15, 21],
  tensor: [3, 4, 5, 7, 10, 11, 12, 16],
  sparse: [],
  value: [3, 4],
  type: [6, 7, 8],
  function: [6, 8, 12, 14],
  training: [3, 4],
  quantization: [],
} as const satisfies Record<string, readonly number[]>;

/** Where a graph, or a node, asks for a device. */
const placement = { model: 26, node: 10 } as const;

export function checkFields(kind: keyof typeof alsoInOnnx, message: Unknown, report: Report): void {
  if (message.unknown === undefined && message.elided === undefined) return;
  const known: readonly number[] = alsoInOnnx[kind];
  for (const number of unreadFields(message)) {
    if (!known.includes(number))
      report('SR-ONNX-018', `A ${kind} has a field ${number}, which ONNX does not have.`);
    else if ((kind === 'model' || kind === 'node') && number === placement[kind])
      report('SR-ONNX-023', `A ${kind} asks for certain devices.`);
  }
}

/** Numbers of the fields of a message that no descriptor names. */
export function unreadFields({ unknown, elided }: Unknown): Set<number> {
  const numbers = new Set((unknown ?? []).map((field) => Math.floor(tagOf(field).tag / 8)));
  for (const name of Object.keys(elided ?? {})) if (/^\d+$/.test(name)) numbers.add(Number(name));
  return numbers;
}
