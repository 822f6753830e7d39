import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import type { Method } from '#shared/rpc.ts';
import { scoredFiles, signedFolder, signingKey } from '../../support/bundles.ts';
import { appPasswords, openPeopledApp, type TestApp } from '../../support/apps.ts';

const reason = 'as tested';
const reasonTexts = {
  adverse: 'at-or-above',
  most: 2,
  texts: [
    { column: 'a', text: 'The first number is high.' },
    { column: 'b', text: 'The second number is high.' },
  ],
} as const;

interface Case {
  /** Who calls; the administrator unless told otherwise. */
  readonly as?: keyof typeof appPasswords;
  readonly good: (setup: Setup) => unknown;
  readonly bad: unknown;
}

interface Setup {
  readonly test: TestApp;
  readonly bundle: string;
  readonly folder: string;
  readonly medium: string;
  readonly csv: string;
  readonly runId: string;
  readonly keptRunId: string;
  readonly checkpoint: string;
  readonly key: string;
  readonly privateKey: string;
  readonly trustedKeyId: string;
}

/** One good and one bad input for each method, in an order in which each finds what it needs. */
const cases: Readonly<Record<string, Case>> = {
  'vault.status': { good: () => null, bad: {} },
  'vault.touch': { good: () => null, bad: 1 },
  'users.list': { good: () => null, bad: 'x' },
  'users.add': {
    good: () => ({ name: 'Ida', role: 'analyst', password: 'long enough' }),
    bad: { name: 'Ida', role: 'king', password: 'x' },
  },
  'users.role': {
    good: () => ({ name: 'Ida', role: 'approver', reason }),
    bad: { name: 'Ida', role: 'approver' },
  },
  'users.password': {
    good: () => ({ name: 'Ida', password: 'long enough too' }),
    bad: { name: '', password: 'x' },
  },
  'users.disable': { good: () => ({ name: 'Ida', reason }), bad: { name: 'Ida', reason: '' } },
  'users.enable': {
    good: () => ({ name: 'Ida', password: 'long enough', reason }),
    bad: { name: 'Ida' },
  },
  'keys.keychain': { good: () => null, bad: {} },
  'keys.setKeychain': {
    good: () => ({ enabled: false, password: appPasswords.ada }),
    bad: { enabled: 'yes', password: 'x' },
  },
  'keys.recovery': {
    good: () => ({ shares: { threshold: 2, shares: 3 }, reason }),
    bad: { shares: { threshold: 3, shares: 2 }, reason },
  },
  'keys.rotate': {
    good: () => ({ purposes: ['models', 'audit'], reason }),
    bad: { purposes: ['everything'], reason },
  },
  'trust.list': { good: () => null, bad: [] },
  'trust.add': {
    good: ({ key }) => ({ name: 'Another maker', file: key }),
    bad: { name: '../x', file: 'y' },
  },
  'trust.remove': { good: ({ trustedKeyId }) => ({ keyId: trustedKeyId }), bad: { keyId: '' } },
  'policy.show': { good: () => null, bad: {} },
  'policy.set': {
    good: () => ({ idleMinutes: 20, serving: true, reason }),
    bad: { idleMinutes: 0, reason },
  },
  'media.places': { good: () => null, bad: {} },
  'media.list': { good: ({ folder }) => ({ folder }), bad: { folder: '' } },
  'media.bundles': { good: ({ folder }) => ({ folder }), bad: { path: '/etc' } },
  'bundles.inspect': { good: ({ bundle }) => ({ source: bundle }), bad: { source: 7 } },
  'bundles.import': {
    good: ({ bundle }) => ({ source: bundle, name: 'second' }),
    bad: { source: 'x', name: '../../etc' },
  },
  'bundles.export': {
    good: ({ folder }) => ({ version: 'tested@1', folder, name: 'exported' }),
    bad: { version: 'tested@1', folder: 'x', name: 'a/b' },
  },
  'bundles.verdict': {
    good: ({ folder }) => ({ version: 'tested@1', folder, name: 'verdict' }),
    bad: { folder: 'x', name: 'verdict' },
  },
  'bundles.keygen': {
    good: ({ folder }) => ({ folder, name: 'signer' }),
    bad: { folder: 'x', name: '..' },
  },
  'bundles.sign': {
    good: ({ bundle, privateKey }) => ({ source: bundle, key: privateKey }),
    bad: { source: 'x' },
  },
  'models.list': { good: () => null, bad: 0 },
  'models.show': { good: () => ({ model: 'tested' }), bad: { model: '' } },
  'models.version': { good: () => ({ version: 'tested@1' }), bad: { version: '' } },
  'models.parts': {
    good: () => ({ version: 'tested@1' }),
    bad: { version: 'tested@1', path: '' },
  },
  'models.graph': {
    good: () => ({ version: 'tested@1', part: 0, page: 0 }),
    bad: { version: 'tested@1', part: -1 },
  },
  'models.diff': { good: () => ({ from: 'tested@1', to: 'second@1' }), bad: { from: 'tested@1' } },
  'models.history': { good: () => ({ model: 'tested' }), bad: {} },
  'models.promote': {
    as: 'grace',
    good: () => ({ version: 'second@1', to: 'production', reason }),
    bad: { version: 'second@1', to: 'retired', reason },
  },
  'models.approve': {
    as: 'alan',
    good: () => ({ version: 'second@1', reason }),
    bad: { version: 'second@1' },
  },
  'models.reject': {
    good: () => ({ version: 'tested@1', reason }),
    bad: { version: 'tested@1', reason: 3 },
  },
  'models.rollback': { good: () => ({ model: 'rolling', reason }), bad: { model: 'x/y', reason } },
  'models.retire': { good: () => ({ version: 'second@1', reason }), bad: {} },
  'bindings.show': { good: () => ({ version: 'rolling' }), bad: { version: '' } },
  'bindings.save': {
    as: 'grace',
    good: ({ csv }) => ({ version: 'rolling', input: csv }),
    bad: { version: 'rolling', input: 'x', inputs: { X: [] } },
  },
  'runs.preview': {
    good: ({ csv }) => ({ version: 'rolling', input: csv }),
    bad: { version: 'rolling' },
  },
  'runs.start': {
    good: ({ csv, folder }) => ({ version: 'rolling', input: csv, folder, name: 'again.csv' }),
    bad: { version: 'rolling', input: 'x', folder: 'y', name: '../z' },
  },
  'runs.resume': { good: () => undefined, bad: { runId: '' } },
  'runs.giveUp': { good: () => undefined, bad: { runId: '' } },
  'runs.list': { good: () => ({}), bad: { limit: 0 } },
  'runs.show': { good: ({ runId }) => ({ runId }), bad: { runId: '' } },
  'runs.receipt': {
    as: 'audrey',
    good: ({ runId, folder }) => ({ runId, folder, name: 'again.receipt.json' }),
    bad: { runId: '', folder: 'x', name: 'y' },
  },
  'runs.export': {
    as: 'grace',
    good: ({ keptRunId, folder }) => ({ runId: keptRunId, folder, name: 'kept' }),
    bad: { runId: 'x', folder: 'y', name: '../z' },
  },
  'records.form': { as: 'grace', good: () => ({ version: 'scored' }), bad: { version: '' } },
  'records.predict': {
    as: 'grace',
    good: () => ({ version: 'scored', record: { a: 1, b: '2' } }),
    bad: { version: 'scored', record: { a: [] } },
  },
  'records.explain': {
    as: 'grace',
    good: () => ({ version: 'scored', record: { a: 1, b: 2 }, target: 'score' }),
    bad: { version: 'scored', record: { a: 1, b: 2 }, permutations: 1 },
  },
  'records.change': {
    as: 'grace',
    good: () => ({ version: 'scored', record: { a: 9, b: 9 }, immutable: ['a'] }),
    bad: { version: 'scored', record: { a: 9, b: 9 }, mostColumns: 0 },
  },
  'records.proposeTexts': {
    as: 'grace',
    good: () => ({ version: 'scored', texts: reasonTexts }),
    bad: { version: 'scored', texts: { ...reasonTexts, most: 0 } },
  },
  'records.reasonTexts': {
    as: 'audrey',
    good: () => ({ version: 'scored' }),
    bad: { version: 'scored', digest: 'x' },
  },
  'records.approveTexts': {
    as: 'alan',
    good: async ({ test: { client } }) => {
      const { proposed } = await client.records.reasonTexts({ version: 'scored' });
      return { version: 'scored', digest: proposed?.digest };
    },
    bad: { version: 'scored', digest: 'latest' },
  },
  'records.reasons': {
    as: 'alan',
    good: () => ({ version: 'scored', record: { a: 9, b: 9 } }),
    bad: { version: 'scored' },
  },
  'erasure.overview': { good: () => null, bad: {} },
  'erasure.showSubject': { as: 'grace', good: () => ({ subject: 'P-104' }), bad: { subject: '' } },
  'erasure.subject': {
    good: () => ({ subject: 'P-104', reason }),
    bad: { subject: 'P-104', reason: 'P-104 has asked' },
  },
  'erasure.data': { good: ({ keptRunId }) => ({ runId: keptRunId, reason }), bad: { runId: 'x' } },
  'erasure.version': {
    good: () => ({ version: 'tested@1', reason }),
    bad: { version: 'tested@1', reason: '' },
  },
  'erasure.due': { good: () => ({ reason }), bad: {} },
  'monitor.show': {
    good: () => ({ version: 'rolling' }),
    bad: { version: 'rolling', from: 'yesterday' },
  },
  'monitor.setReference': { good: ({ runId }) => ({ runId, reason }), bad: { runId: 'x' } },
  'audit.list': { as: 'audrey', good: () => ({ limit: 5 }), bad: { limit: 1000 } },
  'audit.verify': { good: ({ checkpoint }) => ({ against: [checkpoint] }), bad: { against: 'x' } },
  'audit.checkpoint': { good: () => null, bad: {} },
  'audit.acceptPin': { good: () => undefined, bad: { reason: '' } },
  'audit.prove': { good: () => ({ index: 0 }), bad: { index: -1 } },
  'audit.export': {
    good: ({ folder }) => ({ folder, name: 'log' }),
    bad: { folder: 'x', name: '' },
  },
  'backups.make': {
    good: ({ medium }) => ({ folder: medium }),
    bad: { folder: 'x', partBytes: 1 },
  },
  'backups.list': { as: 'audrey', good: () => null, bad: {} },
  'backups.inspect': { good: ({ medium }) => ({ folders: [medium] }), bad: { folders: [] } },
  'backups.check': {
    good: ({ medium }) => ({ folders: [medium] }),
    bad: { folders: ['x'], vaultId: '..' },
  },
  'backups.restore': {
    good: ({ medium, folder }) => ({ folders: [medium], to: { folder, name: 'restored' } }),
    bad: { folders: ['x'], to: { folder: 'y', name: '../z' } },
  },
  'reports.list': { good: () => null, bad: {} },
  'reports.make': {
    good: ({ folder }) => ({ kind: 'production-history', folder, name: 'history.pdf' }),
    bad: { kind: 'horoscope', folder: 'x', name: 'y' },
  },
  'reports.verify': { good: ({ checkpoint }) => ({ file: checkpoint }), bad: {} },
  'serving.status': { good: () => null, bad: {} },
  'serving.start': { good: () => ({ port: 0 }), bad: { port: 80 } },
  'serving.stop': { good: () => null, bad: {} },
  'system.info': { good: () => null, bad: {} },
  'system.doctor': { good: () => null, bad: {} },
  'operations.list': { good: () => null, bad: {} },
  'operations.get': {
    good: ({ test: { app } }) =>
      app.dispatch('operations.list', null).then((reply) => ({
        operationId: reply.ok ? (reply.value as { operationId: string }[])[0]?.operationId : '',
      })),
    bad: { operationId: '' },
  },
  'operations.cancel': {
    good: ({ test: { app } }) =>
      app.dispatch('operations.list', null).then((reply) => ({
        operationId: reply.ok ? (reply.value as { operationId: string }[])[0]?.operationId : '',
      })),
    bad: {},
  },
  'vault.seal': { good: () => null, bad: {} },
  'vault.signIn': {
    good: () => ({ user: 'ada', password: appPasswords.ada }),
    bad: { user: 'ada' },
  },
  'vault.signInWithKeychain': { good: () => undefined, bad: {} },
  'vault.create': { good: () => undefined, bad: { user: '', password: 'x' } },
  'vault.recover': { good: () => undefined, bad: { recoveryKey: '' } },
};

/** Their good case ends a vault, begins one, or needs a program that was killed: they have tests of their own. */
const ownTests: ReadonlySet<string> = new Set([
  'runs.resume',
  'runs.giveUp',
  'vault.signInWithKeychain',
  'vault.create',
  'audit.acceptPin',
  'vault.recover',
]);

async function prepare(): Promise<Setup> {
  const test = await openPeopledApp();
  const { app, client, dir, wait, as } = test;
  const bundle = app.admitFile(await signedFolder(join(dir, 'tested')));
  const token = (name: string, content: string): string => {
    writeFileSync(join(dir, name), content);
    return app.admitFile(join(dir, name));
  };
  await client.policy.set({ secondPerson: false, reason });
  const key = token('maker.pem', signingKey.publicPem);
  const added = await client.trust.add({ name: 'Model maker', file: key });
  const csv = token('data.csv', `a,b\n${'1,2\n'.repeat(40)}`);
  await wait(contract.bundles.import, client.bundles.import({ source: bundle, name: 'tested' }));
  for (const version of [1, 2]) {
    const source = app.admitFile(
      await signedFolder(join(dir, `rolling-${version}`), {
        'model.onnx': (await import('../../support/bundles.ts')).plainFiles['model.onnx'] ?? '',
        'notes.txt': String(version),
      }),
    );
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'rolling' }));
    await client.models.promote({ version: `rolling@${version}`, to: 'production', reason });
  }
  const scored = app.admitFile(await signedFolder(join(dir, 'scored'), scoredFiles));
  await wait(contract.bundles.import, client.bundles.import({ source: scored, name: 'scored' }));
  const folder = app.admitFile(dir);
  mkdirSync(join(dir, 'medium'));
  const medium = app.admitFile(join(dir, 'medium'));
  const kept = await wait(
    contract.runs.start,
    client.runs.start({
      version: 'tested',
      input: token('people.csv', `a,b,who\n${'1,2,P-104\n'.repeat(3)}`),
      folder,
      name: 'kept.csv',
      keep: true,
      subject: 'who',
    }),
  );
  const run = await wait(
    contract.runs.start,
    client.runs.start({ version: 'rolling', input: csv, folder, name: 'first.csv' }),
  );
  const checkpoint = token('checkpoint.txt', (await client.audit.checkpoint(null)).text);
  const privateKey = token('maker.key.pem', signingKey.privatePem);
  await client.policy.set({ secondPerson: true, reason });
  await client.trust.remove({ keyId: added.keyId });
  const again = await client.trust.add({ name: 'Model maker', file: key });
  const other = token(
    'other.pem',
    (await import('#domain/bundle/index.ts')).generateSigningKey().publicPem,
  );
  await as('grace');
  await as('ada');
  return {
    test,
    bundle,
    folder,
    medium,
    csv,
    runId: run.runId,
    keptRunId: kept.runId,
    checkpoint,
    key: other,
    privateKey,
    trustedKeyId: again.keyId,
  };
}

test('every method of the contract takes a good input, refuses a bad one, and answers as declared', async () => {
  const declared = Object.entries(contract).flatMap(([area, methods]) =>
    Object.entries(methods).map(([name, method]) => [`${area}.${name}`, method as Method] as const),
  );
  expect(Object.keys(cases).toSorted()).toEqual(declared.map(([path]) => path).toSorted());
  const setup = await prepare();
  const { app, as } = setup.test;
  const methods = new Map<string, Method>(declared);
  let signedIn: keyof typeof appPasswords = 'ada';
  // The trust list is changed last of its area, so that the imports before it find their signer.
  const order = Object.keys(cases).filter((path) => path !== 'trust.remove');
  order.splice(order.indexOf('system.info'), 0, 'trust.remove');
  for (const path of order) {
    const entry = cases[path];
    const method = methods.get(path);
    if (entry === undefined || method === undefined) throw new Error(`No case for ${path}`);
    const wanted = entry.as ?? 'ada';
    if (wanted !== signedIn && path !== 'vault.signIn') {
      await as(wanted);
      signedIn = wanted;
    }
    const refused = await app.dispatch(path, entry.bad);
    expect(refused, `${path}, bad input`).toMatchObject({
      ok: false,
      // In words of the program, not in those of the library that found it.
      error: {
        code: 'invalid-input',
        message: expect.not.stringMatching(/invalid|expected|received|too (big|small)|unrecogni/i),
      },
    });
    if (ownTests.has(path)) continue;
    const reply = await app.dispatch(path, await entry.good(setup));
    expect(reply, path).toMatchObject({ ok: true });
    if (method.kind === 'job' && reply.ok) {
      const { operationId } = reply.value as { operationId: string };
      const operation = await app.settled(operationId, () => undefined);
      expect(operation.error, path).toBeNull();
      expect(
        method.output.safeParse(JSON.parse(JSON.stringify(operation.result))).success,
        path,
      ).toBe(true);
    }
  }
});

test('unknown methods, unknown fields and names of the language are refused', async () => {
  const { app } = await openPeopledApp();
  for (const path of [
    '',
    'vault',
    'vault.',
    'vault.nothing',
    '__proto__.x',
    'constructor.name',
    'vault.status.x',
  ]) {
    expect(await app.dispatch(path, null), path).toMatchObject({
      ok: false,
      error: { code: 'invalid-input' },
    });
  }
  expect(
    await app.dispatch('users.add', {
      name: 'Ida',
      role: 'analyst',
      password: 'long enough',
      admin: true,
    }),
  ).toMatchObject({ ok: false, error: { code: 'invalid-input' } });
});

test('each role may do what the contract says, and nothing else', async () => {
  const setup = await openPeopledApp();
  const { app, as } = setup;
  for (const [user, role] of [
    ['grace', 'analyst'],
    ['alan', 'approver'],
    ['audrey', 'auditor'],
  ] as const) {
    await as(user);
    for (const [area, methods] of Object.entries(contract)) {
      for (const [name, method] of Object.entries(methods) as [string, Method][]) {
        if (method.access === 'anyone') continue;
        const reply = await app.dispatch(`${area}.${name}`, { unlikely: true });
        const may = method.access.includes(role);
        // A bad input is refused before the role is looked at; a valid one is tried where the input is none.
        if (!method.input.safeParse(null).success) continue;
        const asked = await app.dispatch(`${area}.${name}`, null);
        expect(asked.ok, `${role} ${area}.${name}`).toBe(may);
        expect(reply.ok).toBe(false);
      }
    }
    const write = await app.dispatch('policy.set', { idleMinutes: 5, reason });
    expect(write).toMatchObject({ ok: false, error: { code: 'forbidden' } });
  }
  await setup.client.vault.seal(null);
  expect(await app.dispatch('models.list', null)).toMatchObject({
    ok: false,
    error: { code: 'locked' },
  });
});
