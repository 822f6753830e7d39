/** What two versions of a tensor or an attribute are told apart by: digests of their values, and never the values. */
import { createHash } from 'node:crypto';
import {
  smallIntegers,
  tagOf,
  tensorTypes,
  type OnnxAttribute,
  type OnnxTensor,
} from '#domain/onnx/index.ts';

const sha256 = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex');

/** Fields of TensorProto whose packed form is that of `raw_data`: `float_data`, `double_data`. */
const sameAsRaw: ReadonlySet<number> = new Set([4, 10]);
const numbers: ReadonlySet<number> = new Set([4, 5, 7, 10, 11]);

/**
 * SHA-256 (hex) of the values, little-endian as in `raw_data`, whether they are stored there or in a typed field. Large tensors
 * of integers in typed fields have a digest of the form that they are stored in. Undefined for those beside the model.
 */
export function tensorDigest(tensor: OnnxTensor): string | undefined {
  if (tensor.dataLocation === 1 || tensor.externalData.length > 0) return undefined;
  const { rawData, strings, digests, unknown = [] } = tensor;
  if (digests?.['rawData'] !== undefined) return digests['rawData'];
  if (rawData !== undefined) return sha256(rawData);
  const integers = smallIntegers(tensor);
  if (integers !== undefined && integers.length > 0)
    return sha256(
      new Uint8Array(
        tensorTypes[tensor.dataType ?? 0] === 'int64'
          ? BigInt64Array.from(integers, BigInt).buffer
          : Int32Array.from(integers).buffer,
      ),
    );
  const parts: Uint8Array[] = [];
  let isRaw = true;
  for (const field of unknown) {
    const { tag, at } = tagOf(field);
    const number = Math.floor(tag / 8);
    if (!numbers.has(number)) continue;
    isRaw &&= sameAsRaw.has(number);
    const content = field.subarray(at);
    parts.push((tag & 7) === 2 ? content.subarray(tagOf(content).at) : content);
  }
  const passed = Object.entries(digests ?? {});
  if (passed.length === 1 && parts.length === 0 && strings.length === 0) {
    const [[field, digest] = ['', '']] = passed;
    return sameAsRaw.has(Number(field)) ? digest : sha256(`${field} ${digest}`);
  }
  if (passed.length > 0 || strings.length > 0 || !isRaw)
    return sha256(
      JSON.stringify([
        passed,
        parts.map((part) => Buffer.from(part).toString('base64')),
        strings.map((text) => Buffer.from(text).toString('base64')),
      ]),
    );
  return sha256(Buffer.concat(parts));
}

/** Of all that an attribute says but its graphs, which are compared by themselves. */
export function attributeDigest(attribute: OnnxAttribute): string {
  const { f, i, s, t, floats, ints, strings, tensors, digests } = attribute;
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([
      f === undefined ? null : String(f),
      i === undefined ? null : String(i),
      s === undefined ? null : Buffer.from(s).toString('base64'),
      strings.map((text) => Buffer.from(text).toString('base64')),
      (t === undefined ? tensors : [t, ...tensors]).map((tensor) => [
        tensor.dataType,
        tensor.dims,
        tensorDigest(tensor) ?? tensor.externalData.map(({ key, value }) => [key, value]),
      ]),
      Object.entries(digests ?? {}),
    ]),
  );
  hash.update(new Uint8Array(Float32Array.from(floats).buffer));
  hash.update(new Uint8Array(BigInt64Array.from(ints).buffer));
  return hash.digest('hex');
}
