import { createPrivateKey, createPublicKey, hash, sign } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import {
  digestOf,
  generateSigningKey,
  passGate,
  signFolder,
  type TrustAnchor,
} from '#domain/bundle/index.ts';
import { parseTrustAnchor } from '#domain/identity/index.ts';
import { inTotoPayloadType, preAuthenticationEncoding } from '#platform/dsse.ts';
import {
  plainFiles,
  signedFolder,
  signingKey,
  tarEntries,
  trusted,
  writeFolder,
  writeTar,
} from '../../../support/bundles.ts';

const top = mkdtempSync(join(tmpdir(), 'strongroom-signing-'));
afterAll(() => rmSync(top, { recursive: true }));
let made = 0;
const folder = (): string => join(top, `bundle-${(made += 1)}`);
const now = new Date('2026-06-01T00:00:00Z');
const x509 = (name: string): string =>
  fileURLToPath(new URL(`../../../vectors/x509/${name}`, import.meta.url));

const judge = async (
  path: string,
  trust: readonly TrustAnchor[] = [trusted],
  signers = { required: 1, from: [] as string[] },
) => {
  const { report } = await passGate(path, {
    trust,
    signers,
    now,
    store: digestOf,
  });
  return report;
};
const rulesOf = ({ findings }: { findings: readonly { ruleId: string }[] }): string[] =>
  findings.map(({ ruleId }) => ruleId).filter((id) => id.startsWith('SR-SIG'));

describe('signing', () => {
  test.each(['p256', 'p384', 'p521'] as const)('a key on %s signs and is found', async (curve) => {
    const key = generateSigningKey(curve);
    const dir = writeFolder(folder());
    await signFolder(dir, { privatePem: key.privatePem });
    const anchor = parseTrustAnchor('Maker', key.publicPem);
    expect((await judge(dir, [anchor])).signature).toMatchObject({
      status: 'verified',
      method: 'key',
      keyId: key.keyId,
    });
  });

  test('a certificate signs, leads to its root, and says how long it is valid', async () => {
    const dir = writeFolder(folder());
    await signFolder(dir, {
      privatePem: readFileSync(x509('leaf.key.pem'), 'utf8'),
      certificates: { pem: readFileSync(x509('good.chain.pem'), 'utf8'), now },
    });
    const anchor = parseTrustAnchor('House root', readFileSync(x509('root.cert.pem'), 'utf8'));
    expect((await judge(dir, [anchor])).signature).toMatchObject({
      status: 'verified',
      method: 'certificate',
      signer: 'House root',
      expiresAt: '2120-01-01T00:00:00.000Z',
    });
    expect((await judge(dir)).signature.status).toBe('untrusted');
  });

  test('a certificate of another key, or one that nobody would accept, does not sign', async () => {
    const dir = writeFolder(folder());
    const privatePem = readFileSync(x509('leaf.key.pem'), 'utf8');
    const chain = (name: string) => ({
      pem: readFileSync(x509(`${name}.chain.pem`), 'utf8'),
      now,
    });
    for (const options of [
      { privatePem: signingKey.privatePem, certificates: chain('good') },
      { privatePem, certificates: chain('expired-signer') },
      { privatePem, certificates: { pem: 'nothing', now } },
    ])
      await expect(signFolder(dir, options)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('a folder that no gate would take is not signed, and the reason is said', async () => {
    const dir = writeFolder(folder());
    symlinkSync('/etc/passwd', join(dir, 'weights.bin'));
    await expect(signFolder(dir, { privatePem: signingKey.privatePem })).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('A link or special file: weights.bin') as string,
    });
  });

  test('what a signature leaves out is neither covered nor taken in', async () => {
    const dir = writeFolder(folder(), { ...plainFiles, 'cache/a': '1', 'docs/cache': '2' });
    await signFolder(dir, { privatePem: signingKey.privatePem, ignorePaths: ['cache/'] });
    const report = await judge(dir);
    expect(report.signature.status).toBe('verified');
    expect(report.files.map(({ path }) => path)).toContain('docs/cache');
    expect(report.files.map(({ path }) => path)).not.toContain('cache/a');
    for (const path of ['/etc', '../up', 'a/*', ''])
      await expect(
        signFolder(dir, { privatePem: signingKey.privatePem, ignorePaths: [path] }),
      ).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe('several signers', () => {
  const second = generateSigningKey();
  const validator: TrustAnchor = {
    ...parseTrustAnchor('Validator', second.publicPem, { role: 'validator' }),
  };
  const both = [trusted, validator];

  test('a policy of two takes two, whatever their order', async () => {
    const dir = await signedFolder(folder());
    expect(rulesOf(await judge(dir, both, { required: 2, from: [] }))).toEqual(['SR-SIG-004']);
    await signFolder(dir, { privatePem: second.privatePem, as: 'validator' });
    const report = await judge(dir, both, { required: 2, from: [] });
    expect(report).toMatchObject({
      verdict: 'accept',
      signers: { required: 2, names: ['Model maker', 'Validator'] },
      signatures: [
        { path: 'model.sig', status: 'verified', signer: 'Model maker' },
        { path: 'model.validator.sig', status: 'verified', signer: 'Validator' },
      ],
    });
    const before = await judge(await signedFolder(folder()), both);
    expect(report.manifestDigest).toBe(before.manifestDigest);
  });

  test('the same signer twice is one, also under two names of the trust list', async () => {
    const dir = await signedFolder(folder());
    await signFolder(dir, { privatePem: signingKey.privatePem, as: 'again' });
    const report = await judge(dir, both, { required: 2, from: [] });
    expect(report).toMatchObject({ verdict: 'refuse', overridable: true });
    expect(rulesOf(report)).toEqual(['SR-SIG-004']);
    await signFolder(dir, { privatePem: second.privatePem, as: 'again' });
    const oneName = [trusted, { ...validator, name: trusted.name.toUpperCase() }];
    expect(rulesOf(await judge(dir, oneName, { required: 2, from: [] }))).toEqual(['SR-SIG-004']);
  });

  test('one key is one signer, by whatever method it signs', async () => {
    const privatePem = readFileSync(x509('leaf.key.pem'), 'utf8');
    const dir = writeFolder(folder());
    await signFolder(dir, { privatePem });
    await signFolder(dir, {
      privatePem,
      certificates: { pem: readFileSync(x509('good.chain.pem'), 'utf8'), now },
      as: 'certified',
    });
    const publicPem = String(createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }));
    const trust = [
      parseTrustAnchor('By key', publicPem),
      parseTrustAnchor('By root', readFileSync(x509('root.cert.pem'), 'utf8')),
    ];
    const report = await judge(dir, trust, { required: 2, from: [] });
    expect(report.signatures.map(({ status }) => status)).toEqual(['verified', 'verified']);
    expect(report.signers.names).toEqual(['By key']);
    expect(rulesOf(report)).toEqual(['SR-SIG-004']);
  });

  test('a policy may name whose signatures count, by name or by role', async () => {
    const dir = await signedFolder(folder());
    expect((await judge(dir, both, { required: 1, from: ['validator'] })).verdict).toBe('refuse');
    await signFolder(dir, { privatePem: second.privatePem, as: 'validator' });
    expect((await judge(dir, both, { required: 1, from: ['validator'] })).verdict).toBe('accept');
  });

  test('a further signature of a stranger is told, and one that does not fit refuses the bundle', async () => {
    const dir = await signedFolder(folder());
    await signFolder(dir, { privatePem: second.privatePem, as: 'other' });
    const told = await judge(dir);
    expect(told.verdict).toBe('accept');
    expect(rulesOf(told)).toEqual(['SR-SIG-005']);
    writeFileSync(join(dir, 'model.third.sig'), '{}');
    const refused = await judge(dir);
    expect(refused).toMatchObject({ verdict: 'refuse', overridable: false });
    expect(rulesOf(refused)).toEqual(['SR-SIG-003']);
  });
});

/** A signature over a statement of the test's making, by the key of `support/bundles.ts`. */
function envelope(
  resources: readonly { name: string; digest: string; algorithm: string }[],
  serialization: Readonly<Record<string, unknown>>,
  root = hash('sha256', Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex')))),
): string {
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'model', digest: { sha256: root } }],
      predicateType: 'https://model_signing/signature/v1.0',
      predicate: { resources, serialization: { allow_symlinks: false, ...serialization } },
    }),
  );
  const signature = sign(
    'sha256',
    preAuthenticationEncoding(inTotoPayloadType, payload),
    createPrivateKey(signingKey.privatePem),
  );
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: signingKey.keyId } },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: inTotoPayloadType,
      signatures: [{ sig: signature.toString('base64') }],
    },
  });
}

describe('other hashes and shards', () => {
  const blake3 = {
    abc: '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
    '': 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  };
  const statusOf = async (files: Readonly<Record<string, string>>) =>
    (await judge(writeFolder(folder(), files))).signature;

  test('BLAKE3 is checked against its published digests', async () => {
    const signature = envelope(
      [
        { name: 'a', digest: blake3.abc, algorithm: 'blake3' },
        { name: 'b', digest: blake3[''], algorithm: 'blake3' },
      ],
      { method: 'files', hash_type: 'blake3' },
    );
    expect(await statusOf({ a: 'abc', b: '', 'model.sig': signature })).toMatchObject({
      status: 'verified',
    });
    expect(await statusOf({ a: 'abd', b: '', 'model.sig': signature })).toMatchObject({
      status: 'invalid',
    });
  });

  test('shards must be whole, in the place they name, and all there', async () => {
    const shard = (name: string, text: string) => ({
      name,
      digest: hash('sha256', text),
      algorithm: 'sha256',
    });
    const by = (...resources: ReturnType<typeof shard>[]) =>
      envelope(resources, { method: 'shards', shard_size: 3, hash_type: 'sha256' });
    const good = by(shard('xx:y:0:3', 'abc'), shard('xx:y:3:5', 'de'));
    expect((await statusOf({ 'xx:y': 'abcde', 'model.sig': good })).status).toBe('verified');
    expect((await statusOf({ 'xx:y': 'abcde', empty: '', 'model.sig': good })).status).toBe(
      'verified',
    );
    for (const [content, signature] of [
      ['abcdf', good],
      ['abcdef', good],
      ['abc', good],
      ['deabc', good],
      ['abcde', by(shard('xx:y:0:3', 'abc'))],
      ['abcde', by(shard('xx:y:0:3', 'abc'), shard('xx:y:3:6', 'de'), shard('xx:y:0:3', 'abc'))],
      ['abcde', by(shard('xx:y:1:4', 'abc'), shard('xx:y:4:6', 'de'))],
      ['abcde', by(shard('xx:y', 'abcde'))],
    ] as const)
      expect(await statusOf({ 'xx:y': content, 'model.sig': signature })).toMatchObject({
        status: 'invalid',
      });
  });

  test('a hash or a method that is not known is refused by name', async () => {
    const resource = { name: 'a', digest: 'ab'.repeat(32), algorithm: 'sha3' };
    for (const [serialization, named] of [
      [{ method: 'files', hash_type: 'sha3' }, 'sha3'],
      [{ method: 'file-shard-4', hash_type: 'sha256' }, 'file-shard-4'],
    ] as const) {
      const result = await statusOf({ a: 'abc', 'model.sig': envelope([resource], serialization) });
      expect(result.status).toBe('untrusted');
      expect(result.reason).toContain(named);
    }
  });

  test('a root digest that is not of the list, and a second signature in one file, are invalid', async () => {
    const resource = { name: 'a', digest: hash('sha256', 'abc'), algorithm: 'sha256' };
    const serialization = { method: 'files', hash_type: 'sha256' };
    const good = envelope([resource], serialization);
    expect((await statusOf({ a: 'abc', 'model.sig': good })).status).toBe('verified');
    const otherRoot = envelope([resource], serialization, 'ab'.repeat(32));
    expect((await statusOf({ a: 'abc', 'model.sig': otherRoot })).status).toBe('invalid');
    const twice = JSON.parse(good) as { dsseEnvelope: { signatures: unknown[] } };
    twice.dsseEnvelope.signatures.push(twice.dsseEnvelope.signatures[0]);
    expect((await statusOf({ a: 'abc', 'model.sig': JSON.stringify(twice) })).status).toBe(
      'invalid',
    );
  });

  test('the signature may be the last file of an archive', async () => {
    const signature = envelope([{ name: 'a', digest: blake3.abc, algorithm: 'blake3' }], {
      method: 'files',
      hash_type: 'blake3',
    });
    const path = await writeTar(
      join(top, 'late.tar'),
      tarEntries({ 'top/a': 'abc', 'top/model.sig': signature }),
    );
    expect((await judge(path)).signature.status).toBe('verified');
  });
});

const stranger = fileURLToPath(new URL('../../../support/stranger/oms.py', import.meta.url));
const python = (...given: string[]) =>
  spawnSync('python3', [stranger, ...given], { encoding: 'utf8' });
const hasPython =
  spawnSync('python3', ['-c', 'import cryptography'], { encoding: 'utf8' }).status === 0;

describe.skipIf(!hasPython)('an independent implementation in Python', () => {
  const write = (name: string, text: string): string => {
    const path = join(top, name);
    writeFileSync(path, text);
    return path;
  };

  test('verifies what is signed here, by key on every curve and by certificate', async () => {
    for (const curve of ['p256', 'p384', 'p521'] as const) {
      const key = generateSigningKey(curve);
      const dir = writeFolder(folder(), { ...plainFiles, 'skip/me': 'x' });
      await signFolder(dir, { privatePem: key.privatePem, ignorePaths: ['skip'] });
      const pem = write(`${curve}.pub.pem`, key.publicPem);
      expect(python('verify', dir, '--key', pem).stderr).toBe('');
      writeFileSync(join(dir, 'docs/notes.txt'), 'other');
      expect(python('verify', dir, '--key', pem).status).toBe(1);
    }
    const dir = writeFolder(folder());
    await signFolder(dir, {
      privatePem: readFileSync(x509('leaf.key.pem'), 'utf8'),
      certificates: { pem: readFileSync(x509('good.chain.pem'), 'utf8'), now },
      as: 'maker',
    });
    expect(
      python('verify', dir, '--root', x509('root.cert.pem'), '--signature', 'model.maker.sig')
        .stderr,
    ).toBe('');
  });

  test('verifies a first signature beside a second one that it announced', async () => {
    const dir = writeFolder(folder());
    const pem = write('first.pub.pem', signingKey.publicPem);
    await signFolder(dir, {
      privatePem: signingKey.privatePem,
      ignorePaths: ['model.validator.sig'],
    });
    await signFolder(dir, { privatePem: generateSigningKey().privatePem, as: 'validator' });
    expect(python('verify', dir, '--key', pem).stderr).toBe('');
    expect((await judge(dir)).signature.status).toBe('verified');
  });

  test('signs what verifies here: files, shards, BLAKE2b, certificates, left out paths', async () => {
    const own = generateSigningKey('p384');
    const key = write('python.key.pem', own.privatePem);
    const anchor = parseTrustAnchor('Python', own.publicPem);
    const root = parseTrustAnchor('Root', readFileSync(x509('root.cert.pem'), 'utf8'));
    for (const options of [
      [],
      ['--shards', '7'],
      ['--shards', '1000000', '--hash', 'blake2b'],
      ['--hash', 'blake2b'],
      ['--ignore', 'docs'],
    ]) {
      const dir = writeFolder(folder());
      expect(python('sign', dir, '--key', key, ...options).stderr).toBe('');
      const { signature, files } = await judge(dir, [anchor]);
      expect(signature, options.join(' ')).toMatchObject({ status: 'verified', signer: 'Python' });
      expect(files).toHaveLength(options.includes('--ignore') ? 2 : 3);
      writeFileSync(join(dir, 'pipeline.json'), '{ }');
      expect((await judge(dir, [anchor])).signature.status).toBe('invalid');
    }
    const dir = writeFolder(folder());
    python('sign', dir, '--key', x509('leaf.key.pem'), '--cert', x509('good.chain.pem'));
    expect((await judge(dir, [root])).signature).toMatchObject({
      status: 'verified',
      method: 'certificate',
    });
  });
});
