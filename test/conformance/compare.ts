/**
 * Whether an output is what the case expects, by the rule of ONNX's own runner: the same element type and sizes, floats within
 * `|found - expected| <= atol + rtol * |expected|`, the rest equal. Stated exceptions: texts that write a float are compared as
 * floats, because ONNX does not say with how many digits, and bfloat16 has a unit in its last place of 2^-7, more than rtol.
 */
import type { TensorData } from '#domain/onnx/index.ts';

/** `TestCase` of onnx/backend/test/case/test_case.py. */
const tolerance = { relative: 1e-3, absolute: 1e-7 } as const;
export const bfloat16Relative = 2 ** -7;

/** Undefined when they agree, else what differs. */
export function difference(
  expected: TensorData,
  found: TensorData | undefined,
  relative: number = tolerance.relative,
): string | undefined {
  const shape = shapeDifference(expected, found);
  if (shape !== undefined || found === undefined) return shape;
  const isFloat = expected.type === 'float' || expected.type === 'double';
  let worst = 0;
  let wrong = 0;
  for (const [at, value] of expected.data.entries()) {
    const other = found.data[at];
    const agree = isFloat
      ? agrees(Number(value), Number(other), relative)
      : value === other ||
        (isFloatText(value) &&
          isFloatText(other) &&
          agrees(Number(value), Number(other), relative));
    if (agree) continue;
    wrong += 1;
    if (isFloat) worst = Math.max(worst, Math.abs(Number(value) - Number(other)));
  }
  return wrong === 0
    ? undefined
    : `${wrong} of ${expected.data.length} values${isFloat ? `, by up to ${worst.toPrecision(2)}` : ''}`;
}

/** Undefined when type and sizes agree, which is all that can be asked of an operator that draws lots. */
export function shapeDifference(
  expected: TensorData,
  found: TensorData | undefined,
): string | undefined {
  if (found === undefined) return 'an output is missing';
  if (found.type !== expected.type) return `${found.type} in place of ${expected.type}`;
  if (found.dims.join() !== expected.dims.join())
    return `shape [${found.dims.join()}] in place of [${expected.dims.join()}]`;
  return undefined;
}

function isFloatText(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^[+-]?\d*\.?\d+([eE][+-]?\d+)?$/.test(value) &&
    /[.eE]/.test(value)
  );
}

function agrees(expected: number, found: number, relative: number): boolean {
  if (Object.is(expected, found) || expected === found) return true;
  if (Number.isNaN(expected)) return Number.isNaN(found);
  return Math.abs(found - expected) <= tolerance.absolute + relative * Math.abs(expected);
}
