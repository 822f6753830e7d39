import { readFileSync, readdirSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkSignature, type TrustAnchor } from '#domain/bundle/index.ts';

/** Published test vectors of OpenSSF Model Signing v1.0. */
const vectors = new URL('../../../vectors/oms/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, vectors));

const files = new Map([
  ['signme-1', 'bc9a717db6064a32cbe9eae6fc40651dd6d36ef1757183f590eff2b1765d7ebc'],
  ['signme-2', '32dcb1f8e1ae52d5963e56a6ba06ab58b424c15ed2a6b70d2feca1d089370028'],
  ['ignore-me', '00'.repeat(32)],
]);
const now = new Date('2026-06-01T00:00:00Z');
const check = (
  signature: Buffer,
  options: { trust?: TrustAnchor[]; sha256ByPath?: Map<string, string>; at?: Date } = {},
) =>
  checkSignature({
    signature,
    sha256ByPath: options.sha256ByPath ?? files,
    trust: options.trust ?? [],
    now: options.at ?? now,
  }).result;

function authority(): TrustAnchor {
  const bundle = JSON.parse(read('valid/certificate.bundle.json').toString()) as {
    verificationMaterial: { x509CertificateChain: { certificates: { rawBytes: string }[] } };
  };
  const [, second] = bundle.verificationMaterial.x509CertificateChain.certificates;
  const certificate = new X509Certificate(Buffer.from(second?.rawBytes ?? '', 'base64'));
  return { keyId: 'ca', name: 'House CA', kind: 'certificate', pem: certificate.toString() };
}

describe('published vectors', () => {
  test('the certificate vector verifies under its authority, and under no other', () => {
    const signature = read('valid/certificate.bundle.json');
    expect(check(signature, { trust: [authority()] })).toMatchObject({
      status: 'verified',
      method: 'certificate',
      signer: 'House CA',
    });
    expect(check(signature)).toMatchObject({ status: 'untrusted', method: 'certificate' });
    expect(check(signature, { trust: [authority()], at: new Date('2040-01-01') })).toMatchObject({
      status: 'untrusted',
    });
  });

  test('a change to the vector, its files or its list of files is invalid', () => {
    const text = read('valid/certificate.bundle.json').toString();
    const bundle = JSON.parse(text) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    const forged = {
      ...bundle,
      dsseEnvelope: {
        ...bundle.dsseEnvelope,
        payload: Buffer.from(payload.replace('"model"', '"modell"')).toString('base64'),
      },
    };
    expect(check(Buffer.from(JSON.stringify(forged)), { trust: [authority()] })).toMatchObject({
      status: 'invalid',
    });
    for (const [path, digest] of [
      ['signme-1', '11'.repeat(32)],
      ['unsigned', '22'.repeat(32)],
    ] as const) {
      expect(
        check(Buffer.from(text), {
          trust: [authority()],
          sha256ByPath: new Map([...files, [path, digest]]),
        }),
      ).toMatchObject({ status: 'invalid' });
    }
  });

  test('the key vector names its key; the sigstore vector needs a network and stays untrusted', () => {
    expect(check(read('valid/key.bundle.json'))).toMatchObject({
      status: 'untrusted',
      method: 'key',
      keyId: 'e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e',
    });
    expect(check(read('valid/sigstore.bundle.json')).status).not.toBe('verified');
  });

  test.each([
    ...readdirSync(new URL('invalid/', vectors)).map((name) => `invalid/${name}`),
    ...readdirSync(new URL('invalid-payload/', vectors)).map((name) => `invalid-payload/${name}`),
  ])('%s is not verified', (path) => {
    expect(['invalid', 'untrusted']).toContain(check(read(path), { trust: [authority()] }).status);
  });
});
