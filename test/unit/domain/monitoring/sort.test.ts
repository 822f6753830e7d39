import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortNumbers } from '../../../../electron/domain/monitoring/sort.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const numbers = fc.oneof(
  finite,
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 1, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE),
  // They agree in the first 32 bits.
  fc.integer({ min: 0, max: 1000 }).map((steps) => 1 + steps * Number.EPSILON),
  fc.integer({ min: 0, max: 1000 }).map((steps) => -1 - steps * Number.EPSILON),
);

test('numbers are in the order that the language gives them', () => {
  fc.assert(
    fc.property(
      fc.array(numbers, { maxLength: 600, size: 'max' }),
      fc.constantFrom('as they come', 'two runs', 'sorted'),
      fc.integer({ min: 0, max: 3 }),
      (list, order, offset) => {
        const values = new Float64Array(offset + list.length);
        const part = values.subarray(offset);
        part.set(list);
        if (order === 'two runs') {
          part.subarray(0, part.length >> 1).sort();
          part.subarray(part.length >> 1).sort();
        } else if (order === 'sorted') part.sort();
        const expected = part.slice().sort();
        sortNumbers(part);
        const plain = (sorted: Float64Array): Float64Array => sorted.map((value) => value + 0);
        expect(plain(part)).toEqual(plain(expected));
        expect([...values.subarray(0, offset)].every((value) => value === 0)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('many that differ in their last bits only', () => {
  const values = Float64Array.from(
    { length: 4096 },
    (_, at) => 1 + ((at * 2731) % 4096) * 2 ** -52,
  );
  const expected = values.slice().sort();
  sortNumbers(values);
  expect(values).toEqual(expected);
});
