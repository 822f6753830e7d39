import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const outDir = mkdtempSync(join(tmpdir(), 'strongroom-bundle-'));
beforeAll(async () => {
  const configFile = join(root, 'electron/vite.config.ts');
  await build({ configFile, mode: 'children', logLevel: 'error', build: { outDir } });
});
afterAll(() => rmSync(outDir, { recursive: true }));

const read = (name: string): string => readFileSync(join(outDir, name), 'utf8');

/** A chunk and all that it imports before it runs. */
function loadedWith(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  // What is asked for in the middle of a line is loaded later, if at all.
  for (const [, next = ''] of read(name).matchAll(/^(?:\w+ \w+ = )?require\("\.\/(.+?)"\);$/gm))
    loadedWith(next, seen);
  return seen;
}

test.each(['runtime', 'score-table', 'read-table', 'serve', 'predict'])(
  'a child that loads %s loads no schema and no Zod with it',
  (part) => {
    const chunk = readdirSync(outDir).find((name) => name.startsWith(`${part}-`)) ?? '';
    const loaded = [...loadedWith(chunk)];
    expect(loaded.length).toBeGreaterThan(1);
    expect(loaded.filter((name) => read(name).includes('node_modules/zod/'))).toEqual([]);
  },
);

test('the bundle names each source that it was made of, and nothing of the packages', () => {
  const sources = Object.keys(JSON.parse(read('sources.json')) as Record<string, string>);
  expect(sources).toContain('electron/worker.ts');
  expect(sources).toContain('electron/domain/inference/batch/score-table.ts');
  expect(sources).toContain('package-lock.json');
  expect(sources.filter((path) => path.includes('node_modules'))).toEqual([]);
});
