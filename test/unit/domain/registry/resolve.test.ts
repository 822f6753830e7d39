import Sqlite from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { vaultSchema } from '#app/open-state.ts';
import { createRegistry, type Registry } from '#domain/registry/index.ts';
import { migrate, type Database } from '#platform/database.ts';

const json = {
  signature: { status: 'absent', method: null, signer: null, keyId: null, reason: 'none' },
  facts: {
    path: 'model.onnx',
    sizeBytes: 1,
    producer: '',
    irVersion: 8,
    opsets: [],
    nodes: 0,
    operators: [],
    parameters: 0,
    externalData: [],
    inputs: [],
    outputs: [],
  },
  contact: { status: 'skipped', runtime: null, goldenChecked: 0, goldenFailed: 0, message: '' },
};

let db: Database;
let registry: Registry;
let trust: 'trusted' | 'expired';
beforeEach(() => {
  trust = 'trusted';
  db = new Sqlite(':memory:');
  migrate(db, vaultSchema.catalog);
  db.prepare("INSERT INTO models VALUES (1, 'm', 'm', NULL)").run();
  db.prepare(
    `INSERT INTO versions VALUES (1, 1, 'sha256:00', 'candidate', 'onnx', 1, '2031-05-01T00:00:00.000Z', 'ada', 0, ?, '[]', ?, NULL, ?)`,
  ).run(JSON.stringify(json.signature), JSON.stringify(json.facts), JSON.stringify(json.contact));
  registry = createRegistry(db, { clock: () => new Date(), signerTrustOf: () => trust });
});
afterEach(() => db.close());

const setStage = (stage: string): void =>
  void db.prepare('UPDATE versions SET stage = ?').run(stage);

test('a version is read once, and anew when a row of the catalog has changed', () => {
  const first = registry.resolve('m@1');
  expect(registry.resolve('m@1').facts).toBe(first.facts);
  setStage('production');
  expect(registry.resolve('m@1').stage).toBe('production');
});

test('what its signer is worth is asked each time', () => {
  expect(registry.resolve('m@1').signerTrust).toBe('trusted');
  trust = 'expired';
  expect(registry.resolve('m@1').signerTrust).toBe('expired');
});

test('what was read in a transaction that was taken back counts for nothing', () => {
  const takenBack = db.transaction(() => {
    setStage('retired');
    expect(registry.resolve('m@1').stage).toBe('retired');
    throw new Error('taken back');
  });
  expect(takenBack).toThrow('taken back');
  expect(registry.resolve('m@1').stage).toBe('candidate');
});
