/**
 * The plain numbers of `plain.ts`, sixteen bytes at a time: a function in WebAssembly, since the language itself has no such
 * instructions. It takes cells of up to 15 bytes: a minus or none, a point or none, else digits; it stops at the first cell that is
 * anything else, and `plain.ts` goes on from there. A whole number below 10^15 and a power of ten are exact doubles, so their
 * quotient is the double that is nearest to what is written (see `numbers.ts`).
 *
 * Its memory: the cursor; from byte 64 on the powers of ten up to 10^15, then the negative ones; from byte 1024 on, for each column
 * of the file, where its numbers go, or 0; then those numbers; then the bytes of the segment.
 */
import { powersOfTen } from './numbers.ts';
import type { Cursor } from './plain.ts';

const powersAt = 64;
const columnsAt = 1024;
const pageBytes = 65_536;
/** A cell is loaded as a whole, wherever the bytes end. */
const behindBytes = 16;

/** Columns that would lie beyond are left to `plain.ts`. */
const mostColumnBytes = 2 ** 30;

export interface VectorReader {
  /** For the bytes of a segment; good until it is asked for again. */
  room(length: number): Uint8Array;
  /** Over bytes, in that room or not, of which a line break is the last. */
  over(
    bytes: Uint8Array,
    marks: { readonly delimiter: number; readonly decimal: number },
  ): VectorCells;
}

export interface VectorCells {
  /** By column of the file: where its numbers go; undefined for columns that are not taken here. */
  readonly numbers: readonly (Float64Array | undefined)[];
  /** Moves the cursor to the next cell that is none of these, but not behind row `rows`. */
  read(cursor: Cursor, rows: number): void;
}

/** `isNumber` by column of the file; `rows` of a chunk. */
export function createVectorReader(isNumber: readonly boolean[], rows: number): VectorReader {
  const width = isNumber.length;
  // A little more than the rows: columns that lie a power of two apart compete for the same places of a cache.
  const columnBytes = (rows + 8) * 8;
  let bytesAt = columnsAt + Math.ceil(width / 2) * 8;
  const places = isNumber.map((is) => {
    if (!is || bytesAt >= mostColumnBytes) return 0;
    bytesAt += columnBytes;
    return bytesAt - columnBytes;
  });
  const memory = new wasm.Memory({ initial: Math.ceil(bytesAt / pageBytes) });
  new Int32Array(memory.buffer, columnsAt, width).set(places);
  const powers = powersOfTen.subarray(0, 16);
  new Float64Array(memory.buffer, powersAt, 32).set([...powers, ...powers.map((power) => -power)]);
  const { f: run } = new wasm.Instance(compiled(), { m: { m: memory } }).exports;

  function room(length: number): Uint8Array {
    const lacking = bytesAt + length + behindBytes - memory.buffer.byteLength;
    if (lacking > 0) memory.grow(Math.ceil(lacking / pageBytes));
    return new Uint8Array(memory.buffer, bytesAt, length);
  }

  return {
    room,
    over(bytes, { delimiter, decimal }) {
      const isThere = bytes.buffer === memory.buffer && bytes.byteOffset === bytesAt;
      if (!isThere) room(bytes.length).set(bytes);
      const state = new Int32Array(memory.buffer, 0, 4);
      return {
        numbers: places.map((place) =>
          place === 0 ? undefined : new Float64Array(memory.buffer, place, rows),
        ),
        read(cursor, upTo) {
          state[0] = bytesAt + cursor.at;
          state[1] = cursor.row;
          state[2] = cursor.column;
          state[3] = bytesAt + cursor.rowAt;
          run(bytesAt + bytes.length, upTo, width, delimiter, decimal);
          cursor.at = (state[0] ?? 0) - bytesAt;
          cursor.row = state[1] ?? 0;
          cursor.column = state[2] ?? 0;
          cursor.rowAt = (state[3] ?? 0) - bytesAt;
        },
      };
    },
  };
}

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
/** What is used of the global, of which the types of Node.js say nothing. */
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (size: { readonly initial: number }) => Memory;
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (
      module: object,
      imports: { readonly m: { readonly m: Memory } },
    ) => { readonly exports: { readonly f: (...parameters: number[]) => void } };
  };
};

let module: object | undefined;

function compiled(): object {
  return (module ??= new wasm.Module(moduleBytes()));
}

/** Their codes, with what stands behind them always: types of blocks, alignments. */
const operations = new Map(
  `block 02 40, loop 03 40, if 04 40, end 0b, repeat 0c, leaveIf 0d, select 1b,
   get 20, set 21, tee 22, const 41, f64 44, vector fd 0c,
   load 28 02, load8 2d 00, loadDouble 2b 03, loadVector fd 00 00, store 36 02, storeDouble 39 03,
   isZero 45, equals 46, differs 47, atMost 4c, atLeast 4e, zerosBelow 68,
   add 6a, sub 6b, and 71, or 72, shl 74, addDouble a0, mulDouble a2, divDouble a3, toDouble b8,
   takeLanes fd 0e, splat fd 0f, lane fd 1b, equalLanes fd 23, belowLanes fd 26, atMostLanes fd 29,
   andLanes fd 4e, orLanes fd 50, bits fd 64, addLanes fd 6e, subLanes fd 71,
   narrow fd 86 01, shrPairs fd 8d 01, mulPairs fd 95 01, dotPairs fd ba 01`
    .split(',')
    .map((line): readonly [string, readonly number[]] => {
      const [name = '', ...codes] = line.trim().split(/\s+/);
      return [name, codes.map((code) => Number.parseInt(code, 16))];
    }),
);

const parameters = ['end', 'rows', 'width', 'delimiter', 'decimal'];
const numberLocals =
  'at row column rowAt base length stop isLast all negative points hasPoint place'.split(' ');
const vectorLocals =
  'cell delimiters decimals digits isDigit index quads tens zeros twos fours eights lanes'.split(
    ' ',
  );

/** Operations take what they need from a stack and leave there what they make. Of `leaveIf`, 1 is out of the loop. */
const listing = `
const 0 load 0 set at  const 0 load 4 set row  const 0 load 8 set column  const 0 load 12 set rowAt
get delimiter splat set delimiters  get decimal splat set decimals
vector 10 set tens  vector 48 set zeros  vector 1,10 set twos  vector 100,0,1,0 set fours
vector 16,39,1,0 set eights  vector 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 set lanes
block loop
  get at get end atLeast leaveIf 1
  get row get rows atLeast leaveIf 1
  get column get width atLeast leaveIf 1
  get column const 2 shl load ${columnsAt} tee base isZero leaveIf 1

  # Where the cell ends: at the first delimiter or line break.
  get at loadVector 0 tee cell get delimiters equalLanes  get cell get tens equalLanes  orLanes bits
  tee all isZero leaveIf 1
  get all zerosBelow tee length get at add set stop
  get stop load8 0 const 10 equals tee isLast if
    get column const 1 add get width differs leaveIf 2
    get length  get stop const 1 sub load8 0 const 13 equals  sub set length
  end

  # It is a minus or none, digits, and one point at most; a bit for each byte.
  const 1 get length shl const 1 sub set all
  get at load8 0 const 45 equals set negative
  get cell get decimals equalLanes bits get all and tee points
  get points const 1 sub and leaveIf 1
  get points const 0 differs set hasPoint
  get cell get zeros subLanes tee digits get tens belowLanes tee isDigit bits
  get points or get all and get negative or  get all differs leaveIf 1
  get length get negative sub get hasPoint sub const 0 atMost leaveIf 1

  # Its digits to the end of a vector, those before the point one place further, zeros before them.
  get points zerosBelow set place
  get length const 16 sub splat get lanes addLanes tee index
  get index  get place get hasPoint const 7 shl add const 128 sub splat  atMostLanes addLanes set index
  get digits get isDigit andLanes get index takeLanes

  # Two digits each, four each, eight each.
  get twos mulPairs const 8 shrPairs
  get fours dotPairs tee quads get quads narrow
  get eights dotPairs set quads
  get base get row const 3 shl add
  get quads lane 0 toDouble f64 1e8 mulDouble get quads lane 1 toDouble addDouble
  get length const 1 sub get place sub  const 0  get hasPoint select
  get negative const 4 shl add const 3 shl loadDouble ${powersAt} divDouble
  storeDouble 0

  get stop const 1 add set at
  get column const 1 add set column
  get isLast if
    const 0 set column  get row const 1 add set row  get at set rowAt
  end
  repeat 0
end end
const 0 get at store 0  const 0 get row store 4  const 0 get column store 8  const 0 get rowAt store 12
end`;

/** LEB128 with a sign, which is that without one for what has room for it. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const isLast = rest >> 6 === 0 || rest >> 6 === -1;
    bytes.push((rest & 127) | (isLast ? 0 : 128));
    if (isLast) return bytes;
  }
}

/** Without a sign: of lengths, indices and offsets. */
function count(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...count(value >> 7)];
}

function assemble(text: string): number[] {
  const locals = [...parameters, ...numberLocals, ...vectorLocals];
  const bytes: number[] = [];
  let last = '';
  for (const word of text.replaceAll(/#.*/g, '').trim().split(/\s+/)) {
    const operation = operations.get(word);
    const local = locals.indexOf(word);
    if (['get', 'set', 'tee'].includes(last) && local >= 0) bytes.push(...count(local));
    else if (operation !== undefined) bytes.push(...operation);
    else if (last === 'vector') {
      const pattern = word.split(',').map(Number);
      bytes.push(...Array.from({ length: 16 }, (_, at) => pattern[at % pattern.length] ?? 0));
    } else if (last === 'f64') bytes.push(...new Uint8Array(Float64Array.of(Number(word)).buffer));
    else bytes.push(...(last === 'const' ? leb : count)(Number(word)));
    last = word;
  }
  return bytes;
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const section = (id: number, bytes: readonly number[]): number[] => [
    id,
    ...count(bytes.length),
    ...bytes,
  ];
  const [i32, v128] = [0x7f, 0x7b];
  const locals = [2, numberLocals.length, i32, vectorLocals.length, v128];
  const code = [...locals, ...assemble(listing)];
  // One type of functions, the memory "m" "m", the function, its name "f".
  const type = [1, 0x60, parameters.length, ...parameters.map(() => i32), 0];
  return Uint8Array.of(
    ...magic,
    ...section(1, type),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...count(code.length), ...code]),
  );
}

/** Of a module, with its version. */
const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
