import { expect, test } from 'vitest';
import { formatOf } from '../../../../electron/domain/tables/detect.ts';

test.each([
  ['PAR1\u0015\u0004', 'data.csv', 'parquet'],
  ['ARROW1\0\0', 'data.parquet', 'arrow'],
  ['\xff\xff\xff\xff\x88\0\0\0', 'data', 'arrow'],
  ['{"a":1}\n', 'data.csv', 'jsonl'],
  ['\xef\xbb\xbf {\n"a":1}', 'data.txt', 'jsonl'],
  ['', 'data.jsonl', 'jsonl'],
  ['a,b\n1,2\n', 'data.txt', 'csv'],
  ['a,b\n1,2\n', 'data.parquet', 'parquet'],
  ['a,b\n1,2\n', 'data.feather', 'arrow'],
  ['[\n  {"a":1},\n', 'data.txt', 'jsonl'],
  ['[a];b\n1;2\n', 'data.csv', 'csv'],
  ['{a;b\n1;2\n', 'data.csv', 'csv'],
  ['\xff\xfea\0,\0b\0\n\0', 'data.csv', 'csv'],
  ['', 'data.csv', 'csv'],
])('%j called %s is %s', (content, name, format) => {
  expect(formatOf(Buffer.from(content, 'latin1'), name)).toBe(format);
});
