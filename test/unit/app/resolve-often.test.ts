import { expect, test } from 'vitest';
import { createResolver } from '#app/resolve-often.ts';
import type { OpenVaultState } from '#app/open-state.ts';
import type { Registry } from '#domain/registry/index.ts';
import Sqlite from 'better-sqlite3-multiple-ciphers';

test('a version is read anew when a row of the catalog has changed, or the keys have', () => {
  const catalog = new Sqlite(':memory:');
  catalog.exec('CREATE TABLE t (x)');
  let reads = 0;
  const opened = (registry: Pick<Registry, 'resolve'>): OpenVaultState =>
    ({ registry, vault: { catalog } }) as unknown as OpenVaultState;
  const registry = { resolve: () => ({ version: (reads += 1) }) } as unknown as Registry;
  const resolve = createResolver();
  const first = opened(registry);
  expect(resolve(first, 'm@1')).toBe(resolve(first, 'm@1'));
  resolve(first, 'm@2');
  expect(reads).toBe(2);
  catalog.exec('SELECT 1');
  resolve(first, 'm@1');
  expect(reads).toBe(2);
  catalog.prepare('INSERT INTO t VALUES (1)').run();
  resolve(first, 'm@1');
  expect(reads).toBe(3);
  resolve(opened({ ...registry }), 'm@1');
  expect(reads).toBe(4);
  catalog.close();
});
