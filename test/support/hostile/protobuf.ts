/** Protocol Buffers by hand, for what no library writes. */

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

export function tag(number: number, wire: number): Buffer {
  return varint(number * 8 + wire);
}

/** A field of bytes; `claims` instead of its true length. */
export function bytesField(
  number: number,
  content: string | Uint8Array,
  claims?: number | bigint,
): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([tag(number, 2), varint(claims ?? bytes.length), bytes]);
}

export function numberField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([tag(number, 0), varint(BigInt.asUintN(64, BigInt(value)))]);
}

/** ModelProto: IR version 9, operator set 17, then what is given. */
export function rawModel(...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat([numberField(1, 9), bytesField(8, numberField(2, 17)), ...fields]);
}

/** GraphProto x → Identity → y, of floats, with more fields at its end. */
export function rawGraph(...fields: readonly Uint8Array[]): Buffer {
  return bytesField(7, graphContent(...fields));
}

export function graphContent(...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    bytesField(
      1,
      Buffer.concat([bytesField(1, 'x'), bytesField(2, 'y'), bytesField(4, 'Identity')]),
    ),
    bytesField(2, 'main'),
    bytesField(11, value('x')),
    bytesField(12, value('y')),
    ...fields,
  ]);
}

/** ValueInfoProto of a float tensor [1]. */
export function value(name: string): Buffer {
  const shape = bytesField(1, numberField(1, 1));
  const type = bytesField(1, Buffer.concat([numberField(1, 1), bytesField(2, shape)]));
  return Buffer.concat([bytesField(1, name), bytesField(2, type)]);
}
