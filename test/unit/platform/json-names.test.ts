import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasNameTwice } from '#platform/json-names.ts';

test('finds a name that an object has twice, whatever is in names and values', () => {
  const value = fc.jsonValue({ maxDepth: 2 });
  const name = fc.string({
    unit: fc.constantFrom('a', ':', '"', '\\', '{', ']', 'é'),
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 6 }), (members) => {
      const text = `{ ${members.map((pair) => pair.map((part) => JSON.stringify(part)).join(' : ')).join(' , ')} }`;
      const isTwice = new Set(members.map(([own]) => own)).size < members.length;
      expect(hasNameTwice(text, JSON.parse(text) as object)).toBe(isTwice);
    }),
  );
});
