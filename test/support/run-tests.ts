/** Runs all tests and ends with one line, `N passed, N failed`. Arguments go to vitest. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numFailedTestSuites: z.number(),
  success: z.boolean(),
});

const dir = mkdtempSync(join(tmpdir(), 'strongroom-tests-'));
const output = join(dir, 'report.json');
const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'test/support/vitest.config.ts',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${output}`,
];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
let passed = 0;
let failed = 1;
try {
  const counts = report.parse(JSON.parse(readFileSync(output, 'utf8')));
  passed = counts.numPassedTests;
  // A file that could not be loaded has no failed test of its own, and is a failure.
  failed = Math.max(counts.numFailedTests, counts.success ? 0 : 1);
} catch {
  // No report: the run broke down, which counts as one failure.
}
rmSync(dir, { recursive: true, force: true });
if (status !== 0) failed = Math.max(failed, 1);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
