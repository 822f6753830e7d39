import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { childScript } from '#platform/child-script.ts';

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-scripts-'));
  made.push(dir);
  return dir;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

function program(sources: Record<string, string>): string {
  const root = tempDir();
  mkdirSync(join(root, '.build/children'), { recursive: true });
  writeFileSync(join(root, 'one.ts'), 'one');
  writeFileSync(join(root, '.build/children/sources.json'), JSON.stringify(sources));
  return root;
}

test('a child runs from the bundle for as long as the sources are those that it was made of', () => {
  const current = program({ 'one.ts': digest('one') });
  expect(childScript('worker', current)).toBe(join(current, '.build/children/worker.cjs'));
});

test.each([
  ['a source was changed', { 'one.ts': digest('two') }],
  ['a source is gone', { 'one.ts': digest('one'), 'two.ts': digest('two') }],
])('a child runs from source when %s', (_, sources) => {
  const root = program(sources);
  expect(childScript('scanner', root)).toBe(join(root, 'electron/scanner.ts'));
});

test('a child runs from source where nothing was built', () => {
  const root = tempDir();
  expect(childScript('outliner', root)).toBe(join(root, 'electron/outliner.ts'));
});
