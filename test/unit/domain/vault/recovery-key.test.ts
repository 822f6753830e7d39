import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  generateRecoveryKey,
  parseRecoveryKey,
  recoveryKeyToText,
} from '../../../../electron/domain/vault/recovery-key.ts';

test('reads back what it printed, however it was copied', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      const text = recoveryKeyToText(key);
      expect(text).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){11}[0-9A-HJKMNP-TV-Z]{3}$/);
      const sloppy = text
        .toLowerCase()
        .replaceAll('0', 'o')
        .replaceAll('1', 'l')
        .replaceAll('-', ' ');
      expect(Buffer.from(parseRecoveryKey(sloppy))).toEqual(Buffer.from(key));
    }),
  );
});

test('tells a typing error from a wrong key', () => {
  const { text } = generateRecoveryKey();
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '-') continue;
    const typo = text.slice(0, index) + (text[index] === '7' ? '8' : '7') + text.slice(index + 1);
    expect(() => parseRecoveryKey(typo)).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  }
  expect(() => parseRecoveryKey(text.slice(2))).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
  expect(() => parseRecoveryKey(`${text}é`)).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  );
});
