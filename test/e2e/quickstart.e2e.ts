/** The quickstart as a newcomer without a display sees it, and as a security officer with `strace` does. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBrowser } from '../../electron/chromium/browser.ts';

const root = join(import.meta.dirname, '../..');
const hasStrace = spawnSync('strace', ['-V']).status === 0;

describe.skipIf(findBrowser() === undefined)('quickstart without a display', () => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-quickstart-'));
  const trace = join(dir, 'trace');
  let told = '';

  beforeAll(() => {
    const story = [
      process.execPath,
      join(root, 'electron/quickstart.ts'),
      '--into',
      join(dir, 'home'),
    ];
    const traced = ['strace', '-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,bind', '-o', trace];
    const [command = '', ...args] = hasStrace ? [...traced, ...story] : story;
    const { DISPLAY: _x, WAYLAND_DISPLAY: _wayland, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    told = stdout;
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('tells the story, and leaves what it says', () => {
    for (const line of [
      /grace inspects the bundle +refused: signature untrusted/,
      /grace imports it +credit-risk@1, 12 golden vectors computed, candidate/,
      /alan approves +credit-risk@1 is in production now/,
      /grace scores the drifted month +1997 rows in .* 3 rejected/,
      /anybody verifies it, vault sealed +valid/,
      /There is no display here/,
    ])
      expect(told).toMatch(line);
    const results = join(dir, 'home/results');
    for (const name of ['production-history.pdf', 'checkpoint.txt', 'drifted-month.scored.csv'])
      expect(existsSync(join(results, name)), name).toBe(true);
    expect(readdirSync(join(results, 'screenshots')).length).toBeGreaterThan(10);
  });

  test.skipIf(!hasStrace)('nothing in it, the browser included, looks for a network', () => {
    const calls = readFileSync(trace, 'utf8').split('\n');
    expect(calls.some((line) => line.includes('AF_UNIX'))).toBe(true);
    expect(calls.filter((line) => line.includes('sa_family=AF_INET'))).toEqual([]);
  });
});
