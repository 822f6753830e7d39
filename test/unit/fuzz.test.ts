import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, '../fuzz/fuzz.ts');
/** A heap that no input of 64 KiB may outgrow. */
const fuzz = (...args: string[]) =>
  spawnSync(process.execPath, ['--no-warnings', '--max-old-space-size=256', script, ...args], {
    encoding: 'utf8',
  });

test('no mutated model, archive, signature or description does more than be refused', () => {
  const { status, stdout, stderr } = fuzz('--seed', '1', '--seconds', '24');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  for (const target of ['scan', 'containers', 'signatures', 'descriptions'])
    expect(stdout).toMatch(new RegExp(`^${target}: [1-9]\\d* inputs`, 'm'));
});

test('what was printed can be replayed', () => {
  const { status, stdout } = fuzz(
    '--target',
    'scan',
    '--replay',
    Buffer.from('no model').toString('base64'),
  );
  expect(stdout).toBe('It passes.\n');
  expect(status).toBe(0);
});

test(
  'ten thousand mutants of models have a verdict each, and none shows a fault of the product',
  { timeout: 900_000 },
  () => {
    const { status, stdout, stderr } = fuzz('models', '--count', '10000');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^10000 mutants, 0 faults of our own; the core lives\.$/m);
    expect(status).toBe(0);
  },
);

test('a mutant that was printed can be made again', () => {
  const again = (): string => fuzz('models', '--seed', '7', '--only', '20').stdout;
  const first = again();
  expect(first).toMatch(/^(gate|first contact): /m);
  expect(again()).toBe(first);
});
