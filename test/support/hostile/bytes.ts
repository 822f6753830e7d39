/** Model files that are hostile as bytes, before any graph is read. */
import { bytesOf, columnsModel, matrixModel } from '../onnx-models.ts';
import { modelCase, type HostileCase } from './case.ts';
import {
  bytesField,
  graphContent,
  numberField,
  rawGraph,
  rawModel,
  tag,
  varint,
} from './protobuf.ts';

const good = (): Buffer => Buffer.from(bytesOf(columnsModel()));
const cut = (share: number): Buffer => good().subarray(0, Math.floor(good().length * share));

/** SequenceProto in sequence in sequence, deeper than messages may nest. */
function nestedTypes(depth: number): Buffer {
  let type = bytesField(1, numberField(1, 1));
  for (let at = 0; at < depth; at += 1) type = bytesField(4, bytesField(1, type));
  return Buffer.concat([bytesField(1, 'z'), bytesField(2, type)]);
}

const zipEnd = Buffer.concat([Buffer.from('PK\u0005\u0006', 'latin1'), Buffer.alloc(18)]);
const tensor = (...fields: Buffer[]): Buffer =>
  rawModel(rawGraph(bytesField(5, Buffer.concat(fields))));
const floats = Buffer.alloc(8);

export const byteCases: readonly HostileCase[] = [
  modelCase('an empty file', 'SR-ONNX-001', () => new Uint8Array()),
  modelCase('a letter', 'SR-ONNX-001', () =>
    Buffer.from('Dear sir or madam, please find attached'),
  ),
  modelCase('only zeros', 'SR-ONNX-001', () => Buffer.alloc(4096)),
  modelCase('a web page', 'SR-ONNX-001', () =>
    Buffer.concat([Buffer.from('<!doctype html><script>'), good()]),
  ),
  modelCase('a Linux program before a model', 'SR-ONNX-001', () =>
    Buffer.concat([Buffer.from('\u007fELF\u0002\u0001\u0001'), good()]),
  ),
  modelCase('a model of the ORT format', 'SR-ONNX-001', () =>
    Buffer.concat([Buffer.from([8, 0, 0, 0]), Buffer.from('ORTM'), Buffer.alloc(64)]),
  ),
  modelCase('a model without its last tenth', 'SR-ONNX-001', () => cut(0.9)),
  modelCase('a model without its second half', 'SR-ONNX-001', () => cut(0.5)),
  modelCase('a model cut in its first field', 'SR-ONNX-001', () => good().subarray(0, 1)),
  modelCase('a model without its last byte', 'SR-ONNX-001', () => good().subarray(0, -1)),
  modelCase('a model with its first byte twice', 'SR-ONNX-001', () =>
    Buffer.concat([good().subarray(0, 1), good()]),
  ),
  modelCase('a graph that comes twice, to be merged', 'SR-ONNX-013', () =>
    rawModel(rawGraph(), rawGraph()),
  ),
  modelCase('an IR version that comes twice', 'SR-ONNX-013', () =>
    rawModel(rawGraph(), numberField(1, 3)),
  ),
  modelCase('an operator with two names', 'SR-ONNX-013', () =>
    rawModel(
      rawGraph(bytesField(1, Buffer.concat([bytesField(4, 'Identity'), bytesField(4, 'PyOp')]))),
    ),
  ),
  modelCase('a tensor with its bytes twice', 'SR-ONNX-013', () =>
    tensor(numberField(1, 2), numberField(2, 1), bytesField(9, floats), bytesField(9, floats)),
  ),
  modelCase('a value of two types', 'SR-ONNX-013', () =>
    rawModel(
      rawGraph(
        bytesField(
          13,
          Buffer.concat([
            bytesField(1, 'z'),
            bytesField(
              2,
              Buffer.concat([
                bytesField(1, numberField(1, 1)),
                bytesField(4, bytesField(1, bytesField(1, numberField(1, 8)))),
              ]),
            ),
          ]),
        ),
      ),
    ),
  ),
  modelCase('a length beyond the end of its message', 'SR-ONNX-001', () =>
    rawModel(bytesField(7, Buffer.concat([graphContent(), bytesField(2, 'main', 4000)]))),
  ),
  modelCase('a message beyond the end of the file', 'SR-ONNX-001', () =>
    rawModel(bytesField(7, graphContent(), 2 ** 40)),
  ),
  modelCase('a length of 2^64 - 1', 'SR-ONNX-001', () =>
    rawModel(rawGraph(), bytesField(30, 'x', 2n ** 64n - 1n)),
  ),
  modelCase('a number of eleven bytes', 'SR-ONNX-001', () =>
    rawModel(rawGraph(), tag(5, 0), Buffer.from([...Array.from({ length: 10 }, () => 0x80), 1])),
  ),
  modelCase('a graph that is a number', 'SR-ONNX-001', () => rawModel(numberField(7, 1))),
  modelCase('a dimension that is a text', 'SR-ONNX-001', () => tensor(bytesField(2, 'float'))),
  modelCase('a group of the first version of Protocol Buffers', 'SR-ONNX-001', () =>
    rawModel(rawGraph(), tag(30, 3), numberField(1, 1), tag(30, 4)),
  ),
  modelCase('a field of number 0', 'SR-ONNX-001', () => rawModel(rawGraph(), varint(2), varint(0))),
  modelCase('a wire type that is not there', 'SR-ONNX-001', () => rawModel(rawGraph(), tag(30, 6))),
  modelCase('a name that is no UTF-8', 'SR-ONNX-001', () =>
    rawModel(rawGraph(bytesField(1, bytesField(3, Buffer.from([0xff, 0xfe]))))),
  ),
  modelCase('types nested 400 messages deep', 'SR-ONNX-006', () =>
    rawModel(rawGraph(bytesField(13, nestedTypes(200)))),
  ),
  modelCase('a hidden payload in a field that ONNX does not have', 'SR-ONNX-018', () =>
    rawModel(rawGraph(), bytesField(99, Buffer.alloc(100_000, 7))),
  ),
  modelCase('a field that ONNX does not have, in a node', 'SR-ONNX-018', () =>
    rawModel(
      rawGraph(
        bytesField(
          1,
          Buffer.concat([
            bytesField(1, 'x'),
            bytesField(2, 'q'),
            bytesField(4, 'Neg'),
            numberField(77, 1),
          ]),
        ),
      ),
    ),
  ),
  modelCase('a model and a ZIP archive in one', 'SR-ONNX-019', () =>
    rawModel(rawGraph(), bytesField(6, Buffer.concat([Buffer.from('PK\u0003\u0004'), zipEnd]))),
  ),
  modelCase(
    'an element type beyond 32 bits, which other readers take for float',
    'SR-ONNX-005',
    () => tensor(numberField(1, 2), numberField(2, 2n ** 32n + 1n), bytesField(9, Buffer.alloc(4))),
  ),
  modelCase('values in two fields of one tensor', 'SR-ONNX-005', () =>
    tensor(numberField(1, 2), numberField(2, 1), bytesField(4, floats), bytesField(9, floats)),
  ),
  modelCase('fewer packed floats than the tensor claims', 'SR-ONNX-005', () =>
    tensor(numberField(1, 1000), numberField(2, 1), bytesField(4, floats)),
  ),
  modelCase('more packed integers than the tensor claims', 'SR-ONNX-005', () =>
    tensor(numberField(1, 2), numberField(2, 7), bytesField(7, Buffer.alloc(100_000, 1))),
  ),
  modelCase('a wish for devices', 'SR-ONNX-023', () =>
    rawModel(rawGraph(), bytesField(26, bytesField(1, 'gpu'))),
  ),
  modelCase('a node that wants another device', 'SR-ONNX-023', () =>
    rawModel(
      rawGraph(
        bytesField(
          1,
          Buffer.concat([
            bytesField(1, 'x'),
            bytesField(2, 'q'),
            bytesField(4, 'Neg'),
            bytesField(10, 'gpu'),
          ]),
        ),
      ),
    ),
  ),
  modelCase('ten thousand opening graphs', 'SR-ONNX-001', () =>
    rawModel(Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from([0x3a, 0x7f])))),
  ),
  modelCase('a good model with noise behind it', 'SR-ONNX-001', () =>
    Buffer.concat([Buffer.from(bytesOf(matrixModel())), Buffer.alloc(64, 0xff)]),
  ),
];
