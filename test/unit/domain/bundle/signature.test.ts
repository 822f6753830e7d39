import { hash, X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkSignatures, type CheckedSignatures } from '#domain/bundle/index.ts';
import type { TrustAnchor } from '#domain/bundle/index.ts';
import { parseTrustAnchor } from '#domain/identity/index.ts';
import { presentFiles } from '#domain/bundle/signatures/digests.ts';

/** Published test vectors of OpenSSF Model Signing v1.0, and signatures of the reference implementation. */
const vectors = new URL('../../../vectors/oms/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, vectors));

const files: Readonly<Record<string, string>> = {
  'signme-1': 'signme-1\n',
  'signme-2': 'signme-2',
  'ignore-me': 'anything',
};
const now = new Date('2026-06-01T00:00:00Z');

async function checkAll(
  signatures: Readonly<Record<string, Buffer>>,
  options: {
    trust?: readonly TrustAnchor[];
    files?: Readonly<Record<string, string>>;
    at?: Date;
    rule?: { required: number; from: string[] };
  } = {},
): Promise<CheckedSignatures> {
  const contents = { ...(options.files ?? files), ...signatures };
  const entries = Object.entries(contents).map(([path, text]) => ({
    path,
    content: Buffer.from(text),
  }));
  const present = await presentFiles(
    entries.map(({ path, content }) => ({
      path,
      sha256: hash('sha256', content),
      text: signatures[path],
    })),
    {
      reread: (again) =>
        again(
          (async function* () {
            for (const { path, content } of entries)
              yield {
                path,
                content: (async function* () {
                  for (let at = 0; at < content.length; at += 3) yield content.subarray(at, at + 3);
                })(),
              };
          })(),
        ),
    },
  );
  return checkSignatures({
    signatures: new Map(Object.entries(signatures)),
    files: present,
    trust: options.trust ?? [],
    rule: options.rule ?? { required: 1, from: [] },
    now: options.at ?? now,
  });
}

const check = async (signature: Buffer, options: Parameters<typeof checkAll>[1] = {}) =>
  (await checkAll({ 'model.sig': signature }, options)).decisive;

const authority = parseTrustAnchor(
  'House CA',
  read('reference/intermediate-ca.cert.pem').toString(),
);
const key = parseTrustAnchor('Maker', read('reference/signing-key.pub.pem').toString());
const sigstore = parseTrustAnchor('Stefan', read('reference/trusted_root.json').toString(), {
  identity: { subject: 'stefanb@us.ibm.com', issuer: 'https://sigstore.verify.ibm.com/oauth2' },
});
const withoutLine = { ...files, 'signme-1': 'signme-1' };

describe('signatures of the reference implementation', () => {
  const plain = { 'signme-1': 'signme-1', 'signme-2': 'signme-2' };
  test.each([
    ['v0.2.0-certificate', plain, authority],
    ['v0.3.1-certificate', plain, authority],
    ['v1.1.0-certificate', withoutLine, authority],
    ['v0.3.1-elliptic-key', { 'signme-1': 'signme-1\n' }, key],
    ['v1.0.0-elliptic-key', { 'anything.onnx': 'signme-1\n' }, key],
    ['v1.1.0-elliptic-key', files, key],
  ] as const)('%s verifies, and not with another file', async (name, signed, anchor) => {
    const signature = read(`reference/${name}.sig`);
    const good = await check(signature, { trust: [anchor], files: signed });
    expect(good).toMatchObject({ status: 'verified', method: anchor.kind, signer: anchor.name });
    expect(await check(signature, { files: signed })).toMatchObject({ status: 'untrusted' });
    const [path = ''] = Object.keys(signed);
    const changed = { ...signed, [path]: 'signed by nobody' };
    expect(await check(signature, { trust: [anchor], files: changed })).toMatchObject({
      status: 'invalid',
    });
    const further = { ...signed, 'docs/further': 'x', second: 'y' };
    expect(await check(signature, { trust: [anchor], files: further })).toMatchObject({
      status: 'invalid',
    });
  });

  test('one of the Sigstore service verifies under an imported root, for the signer that is trusted and nobody else', async () => {
    const signature = read('valid/sigstore.bundle.json');
    const under = (trust: readonly TrustAnchor[]) =>
      check(signature, { trust, files: withoutLine });
    expect(await under([sigstore])).toMatchObject({
      status: 'verified',
      method: 'sigstore',
      signer: 'Stefan',
    });
    expect((await under([])).reason).toContain('no Sigstore root is trusted here');
    const other = {
      subject: 'stefanb@us.ibm.com.example',
      issuer: sigstore.identity?.issuer ?? '',
    };
    const stranger = await under([{ ...sigstore, identity: other }]);
    expect(stranger).toMatchObject({ status: 'untrusted', method: 'sigstore' });
    expect(stranger.reason).toContain('stefanb@us.ibm.com');
  });

  test('Sigstore evidence that was touched anywhere does not hold', async () => {
    const text = read('valid/sigstore.bundle.json').toString();
    const bundle = JSON.parse(text) as SigstoreJson;
    const touched = (change: (copy: SigstoreJson, its: Entry) => void): Buffer => {
      const copy = structuredClone(bundle);
      const [its] = copy.verificationMaterial.tlogEntries;
      if (its !== undefined) change(copy, its);
      return Buffer.from(JSON.stringify(copy));
    };
    const broken = [
      touched((_copy, its) => (its.integratedTime = String(Number(its.integratedTime) + 86_400))),
      touched((_copy, its) => its.inclusionProof.hashes.pop()),
      touched((_copy, its) => {
        const { checkpoint } = its.inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace('476246825', '476246826');
      }),
      touched((copy) => (copy.verificationMaterial.tlogEntries = [])),
      touched((copy) => {
        const statement = Buffer.from(copy.dsseEnvelope.payload, 'base64').toString();
        const other = statement.replace('v1.1.0-sigstore', 'v1.1.0-sigstorf');
        copy.dsseEnvelope.payload = Buffer.from(other).toString('base64');
      }),
    ];
    for (const signature of broken)
      expect((await check(signature, { trust: [sigstore], files: withoutLine })).status).not.toBe(
        'verified',
      );
  });
});

interface Entry {
  integratedTime: string;
  inclusionProof: { hashes: string[]; checkpoint: { envelope: string } };
}

interface SigstoreJson {
  verificationMaterial: { tlogEntries: Entry[] };
  dsseEnvelope: { payload: string };
}

describe('published vectors', () => {
  test('a certificate with a key that cannot be checked here vouches for nothing, and speaks against nothing', async () => {
    const bundle = JSON.parse(read('valid/certificate.bundle.json').toString()) as {
      verificationMaterial: { x509CertificateChain: { certificates: { rawBytes: string }[] } };
    };
    const pems = readFileSync(new URL('../x509/rsa-authority.chain.pem', vectors), 'utf8').split(
      /(?<=-----END CERTIFICATE-----\n)/,
    );
    const rsa = pems
      .map((pem) => new X509Certificate(pem))
      .find(({ publicKey }) => publicKey.asymmetricKeyType === 'rsa');
    const rawBytes = rsa?.raw.toString('base64') ?? '';
    bundle.verificationMaterial.x509CertificateChain.certificates = [{ rawBytes }];
    expect(await check(Buffer.from(JSON.stringify(bundle)))).toMatchObject({
      status: 'untrusted',
      method: 'certificate',
      reason: expect.stringContaining('another kind than ECDSA') as string,
    });
  });

  test('the certificate vector verifies under its authority while it is valid', async () => {
    const signature = read('valid/certificate.bundle.json');
    expect(await check(signature, { trust: [authority] })).toMatchObject({
      status: 'verified',
      method: 'certificate',
      signer: 'House CA',
      anchorId: authority.keyId,
      expiresAt: new X509Certificate(authority.pem).validToDate.toISOString(),
    });
    expect(await check(signature)).toMatchObject({ status: 'untrusted', method: 'certificate' });
    for (const at of [new Date('2040-01-01'), new Date('2020-01-01')])
      expect(await check(signature, { trust: [authority], at })).toMatchObject({
        status: 'untrusted',
      });
  });

  test('a change to the vector, its files or its list of files is invalid', async () => {
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
    const trust = [authority];
    expect(await check(Buffer.from(JSON.stringify(forged)), { trust })).toMatchObject({
      status: 'invalid',
    });
    for (const path of ['signme-1', 'unsigned'])
      expect(
        await check(Buffer.from(text), { trust, files: { ...files, [path]: 'changed' } }),
      ).toMatchObject({ status: 'invalid' });
  });

  test('the key vector names its key and verifies with it', async () => {
    const signature = read('valid/key.bundle.json');
    expect(await check(signature)).toMatchObject({
      status: 'untrusted',
      method: 'key',
      keyId: 'e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e',
    });
    expect(await check(signature, { trust: [key] })).toMatchObject({
      status: 'verified',
      anchorId: key.keyId,
      keyId: 'e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e',
    });
  });

  test.each([
    ...readdirSync(new URL('invalid/', vectors)).map((name) => `invalid/${name}`),
    ...readdirSync(new URL('invalid-payload/', vectors)).map((name) => `invalid-payload/${name}`),
  ])('%s is not verified', async (path) => {
    const { status } = await check(read(path), { trust: [authority, key, sigstore] });
    expect(['invalid', 'untrusted']).toContain(status);
  });
});
