import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findTrustedPath } from '#domain/bundle/signatures/certificate.ts';

/** Made by test/support/stranger/make-certificates.py. */
const read = (name: string): string =>
  readFileSync(new URL(`../../../vectors/x509/${name}`, import.meta.url), 'utf8');
const chainOf = (name: string): X509Certificate[] =>
  [...read(`${name}.chain.pem`).matchAll(/-----BEGIN[^]+?-----END CERTIFICATE-----/g)].map(
    ([pem]) => new X509Certificate(pem),
  );
const root = { anchor: 'root', certificate: new X509Certificate(read('root.cert.pem')) };
const now = new Date('2026-06-01T00:00:00Z');
const judge = (name: string, at = now) => findTrustedPath(chainOf(name), [root], at);

test.each(['good', 'rsa-authority', 'unknown', 'three'])('the chain "%s" is trusted', (name) => {
  expect(judge(name)).toMatchObject({ anchor: 'root' });
});

test.each([
  ['short-rsa', 'too short'],
  ['no-authority', 'may not issue others'],
  ['no-cert-sign', 'none that is trusted'],
  ['tls-authority', 'may not issue certificates for signing code'],
  ['no-code-signing', 'not meant for signing code'],
  ['no-usage', 'not meant for signing code'],
  ['no-signature', 'not meant for signatures'],
  ['expired-signer', 'not valid after 2021-01-01'],
  ['expired-authority', 'not valid after 2021-01-01'],
  ['future-signer', 'not valid before 2110-01-01'],
  ['name-constraints', 'not understood here (2.5.29.30)'],
  ['soft-name-constraints', 'not understood here (2.5.29.30)'],
  ['unknown-critical', 'not understood here (1.3.6.1.4.1.99999.1)'],
  ['too-long', 'longer than the certificate of outer allows'],
  ['circle', 'none that is trusted'],
  ['false-root', 'none that is trusted'],
])('the chain "%s" is refused: %s', (name, reason) => {
  expect(judge(name)).toMatchObject({ flaw: expect.stringContaining(reason) as string });
});

test('a trusted authority or the signer itself may stand in the trust list instead of the root', () => {
  for (const certificate of chainOf('good'))
    expect(findTrustedPath(chainOf('good'), [{ anchor: 'own', certificate }], now)).toMatchObject({
      anchor: 'own',
      expiresAt: certificate.validToDate,
    });
  const [leaf] = chainOf('good');
  expect(findTrustedPath(leaf === undefined ? [] : [leaf], [root], now)).toHaveProperty('flaw');
});

test('a root that has ended ends what is below it', () => {
  expect(judge('good', new Date('2121-01-01'))).toHaveProperty('flaw');
});
