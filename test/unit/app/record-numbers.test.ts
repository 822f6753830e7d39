import { expect, test } from 'vitest';
import { keepDigits } from '../../../electron/cli/record-commands.ts';

test('whole numbers beyond 2^53 in a record keep their digits', () => {
  const written = '{"a":9007199254740993,"b":-9223372036854775808,"c":42,"d":0.5,"e":"9"}';
  expect(JSON.parse(written, keepDigits)).toEqual({
    a: '9007199254740993',
    b: '-9223372036854775808',
    c: 42,
    d: 0.5,
    e: '9',
  });
});
