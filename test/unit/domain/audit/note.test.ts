import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('verifies a checkpoint of the public Rekor log with the ECDSA key that is published for it', () => {
  const bundle = JSON.parse(
    readFileSync(
      join(import.meta.dirname, '../../../vectors/oms/valid/sigstore.bundle.json'),
      'utf8',
    ),
  ) as SigstoreBundle;
  const text = bundle.verificationMaterial.tlogEntries[0]?.inclusionProof.checkpoint.envelope ?? '';
  const spki =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==';
  const typed = Buffer.concat([Uint8Array.of(2), Buffer.from(spki, 'base64')]).toString('base64');
  const key = parseVerifierKey(`rekor.sigstore.dev+c0d23d6a+${typed}`);
  expect(key.algorithm).toBe('ecdsa-p256');
  expect(isSignedBy(parseNote(text), key)).toBe(true);
  expect(isSignedBy(parseNote(text.replace(/\n(\d+)\n/, '\n1$1\n')), key)).toBe(false);
});

interface SigstoreBundle {
  readonly verificationMaterial: {
    readonly tlogEntries: readonly {
      readonly inclusionProof: { readonly checkpoint: { readonly envelope: string } };
    }[];
  };
}

test.each(['ed25519', 'ecdsa-p256'] as const)(
  'reads what it signs with %s, beside signatures of keys it does not know',
  (algorithm) => {
    const { privateKey, verifierKey } = generateNoteKey('strongroom.invalid/abc', algorithm);
    expect(parseVerifierKey(verifierKey.text)).toEqual(verifierKey);
    const note = signNote(
      'first\n\nthird\n',
      createNoteSigner('strongroom.invalid/abc', privateKey),
    );
    const cosigned = `${note}— witness.example AAAAAFGx\n`;
    for (const text of [note, cosigned])
      expect(isSignedBy(parseNote(text), verifierKey)).toBe(true);
    expect(parseNote(note).text).toBe('first\n\nthird\n');
    const other = generateNoteKey('strongroom.invalid/abc', algorithm).verifierKey;
    expect(isSignedBy(parseNote(note), other)).toBe(false);
    expect(isSignedBy(parseNote(note), { ...verifierKey, name: 'another' })).toBe(false);
  },
);

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
