/** Flipped bits, cut-off ends and missing files, sampled: `npm run faults -- --thorough` tries all places. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { performBackupDamage } from './damage-backup.ts';
import { performDamage } from './damage.ts';
import { prepare, type Prepared } from './prepared.ts';
import { createTally } from './table.ts';

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare();
});
afterAll(() => rmSync(prepared.dir, { recursive: true, force: true }));

test(
  'damage in any file of a backup is found, and no vault comes of it',
  { timeout: 600_000 },
  async () => {
    const tally = createTally();
    await performBackupDamage(prepared, tally, 24);
    expect(tally.wrong()).toEqual([]);
    expect(tally.rows().length).toBe(6);
  },
);

test(
  'damage in any file is found and named, or changes nothing that is shown',
  { timeout: 600_000 },
  async () => {
    const tally = createTally();
    await performDamage(prepared, tally, 24);
    expect(tally.wrong()).toEqual([]);
    const found = tally.rows().filter(({ outcome }) => outcome.includes('found'));
    expect(found.length).toBeGreaterThan(15);
  },
);
