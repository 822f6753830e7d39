import { expect, test } from 'vitest';
import {
  createNoteSigner,
  generateNoteKey,
  isSignedBy,
  parseNote,
  parseVerifierKey,
  signNote,
} from '../../../../electron/domain/audit/note.ts';

/** The sample of golang.org/x/mod/sumdb/note, which the C2SP specification took over. */
const sampleKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const sample = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

test('verifies the published sample, and not a changed one', () => {
  const key = parseVerifierKey(sampleKey);
  expect(isSignedBy(parseNote(sample), key)).toBe(true);
  expect(isSignedBy(parseNote(sample.replace('your problem,', 'our problem,')), key)).toBe(false);
});

test('reads what it signs, beside signatures of keys it does not know', () => {
  const { privateKey, verifierKey } = generateNoteKey('strongroom.invalid/abc');
  const note = signNote('first\n\nthird\n', createNoteSigner('strongroom.invalid/abc', privateKey));
  const cosigned = `${note}— witness.example AAAAAFGx\n`;
  for (const text of [note, cosigned]) expect(isSignedBy(parseNote(text), verifierKey)).toBe(true);
  expect(parseNote(note).text).toBe('first\n\nthird\n');
  expect(isSignedBy(parseNote(note), generateNoteKey('strongroom.invalid/abc').verifierKey)).toBe(
    false,
  );
  expect(isSignedBy(parseNote(note), { ...verifierKey, name: 'another' })).toBe(false);
});

test.each([
  '',
  'no signature\n',
  'text\n\n- name AAAA\n',
  'text\n\n— name not-base64\n',
  `${sample}x`,
])('refuses %j', (text) => {
  expect(() => parseNote(text)).toThrow(expect.objectContaining({ code: 'corrupt' }));
});

test.each([
  '',
  'a+b',
  'PeterNeumann+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  `${sampleKey}AAAA`,
])('refuses the key %j', (text) => {
  expect(() => parseVerifierKey(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
});
