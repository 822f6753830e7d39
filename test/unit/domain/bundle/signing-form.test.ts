import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, expect, test } from 'vitest';
import { generateSigningKey, signFolder } from '#domain/bundle/index.ts';
import { presentFiles } from '#domain/bundle/signatures/digests.ts';
import { writeFolder } from '../../../support/bundles.ts';

const top = mkdtempSync(join(tmpdir(), 'strongroom-form-'));
afterAll(() => rmSync(top, { recursive: true }));
const vector = (path: string): string =>
  readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), 'utf8');

/** The published schemas of OMS 1.0; they refer to each other by id. */
const ajv = new Ajv2020({ strict: false, validateFormats: false });
for (const name of readdirSync(
  fileURLToPath(new URL('../../../vectors/oms/schemas', import.meta.url)),
))
  ajv.addSchema(JSON.parse(vector(`oms/schemas/${name}`)) as object);
const problems = (schema: string, value: unknown): unknown => {
  const validate = ajv.getSchema(`https://model_signing/${schema}/v1.0/schema`);
  if (validate === undefined) throw new Error(`There is no schema ${schema}.`);
  return validate(value) === true ? [] : validate.errors;
};

interface Written {
  dsseEnvelope: { payload: string };
}

function expectForm(text: string): void {
  const bundle = JSON.parse(text) as Written;
  const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
  const statement = JSON.parse(payload) as { predicate: unknown };
  expect(problems('bundle', bundle)).toEqual([]);
  expect(problems('envelope', bundle.dsseEnvelope)).toEqual([]);
  expect(problems('statement', statement)).toEqual([]);
  expect(problems('predicate', statement.predicate)).toEqual([]);
}

test('what is signed here follows the published schemas, by key and by certificate', async () => {
  const dir = writeFolder(join(top, 'bundle'));
  await signFolder(dir, {
    privatePem: generateSigningKey('p384').privatePem,
    ignorePaths: ['docs'],
  });
  await signFolder(dir, {
    privatePem: vector('x509/leaf.key.pem'),
    certificates: { pem: vector('x509/good.chain.pem'), now: new Date('2026-06-01') },
    as: 'maker',
  });
  for (const name of ['model.sig', 'model.maker.sig'])
    expectForm(readFileSync(join(dir, name), 'utf8'));
  // The schemas do refuse what is not of their form.
  expect(problems('bundle', {})).not.toEqual([]);
  expect(problems('predicate', { resources: [] })).not.toEqual([]);
});

test('a medium that gives other bytes at the second reading is refused, not judged', async () => {
  const signature = Buffer.from(vector('oms/reference/v1.1.0-elliptic-key.sig'));
  const { dsseEnvelope, ...rest } = JSON.parse(signature.toString()) as Written;
  const statement = Buffer.from(dsseEnvelope.payload, 'base64').toString();
  const blake = statement.replaceAll('"sha256",', '"blake3",');
  const text = Buffer.from(
    JSON.stringify({
      ...rest,
      dsseEnvelope: { ...dsseEnvelope, payload: Buffer.from(blake).toString('base64') },
    }),
  );
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // of abc
  const read = (content: string) =>
    presentFiles(
      [
        { path: 'a', sha256, text: undefined },
        { path: 'model.sig', sha256: 'ab'.repeat(32), text },
      ],
      {
        reread: (again) =>
          again(
            (async function* () {
              yield {
                path: 'a',
                content: (async function* () {
                  yield Buffer.from(content);
                })(),
              };
            })(),
          ),
      },
    );
  const present = await read('abc');
  expect(present.digests('a', { algorithm: 'blake3', shardBytes: undefined })).toEqual([
    '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
  ]);
  await expect(read('abd')).rejects.toMatchObject({ ruleId: 'SR-BUNDLE-008', path: 'a' });
});
