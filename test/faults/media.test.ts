/** Full disks, errors of the medium, media that vanish, several processes at once, and clocks that jump. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canMount } from '../support/can-mount.ts';
import { performJumps } from './clocks.ts';
import {
  performFullDisks,
  performReadErrors,
  performVanishing,
  performWriteErrors,
} from './media.ts';
import { prepare, type Prepared } from './prepared.ts';
import { createTally, type Tally } from './table.ts';
import { performTwice } from './twice.ts';

const canTrace = spawnSync('strace', ['-V']).status === 0;
const timeout = 600_000;
let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare();
});
afterAll(() => rmSync(prepared.dir, { recursive: true, force: true }));

async function nothingWrong(perform: (tally: Tally) => Promise<void>): Promise<void> {
  const tally = createTally();
  await perform(tally);
  expect(tally.wrong()).toEqual([]);
  expect(tally.rows().length).toBeGreaterThan(0);
}

test.runIf(canMount)(
  'a full disk stops an act with its name, and it is done once there is room',
  { timeout },
  () => nothingWrong((tally) => performFullDisks(prepared, tally, 7)),
);

test.runIf(canTrace)('an error at a write is named, and leaves all or nothing', { timeout }, () =>
  nothingWrong((tally) => performWriteErrors(prepared, tally, 60)),
);

test.runIf(canTrace)(
  'an error at a read of a bundle or table is named, and nothing is stored',
  { timeout },
  () => nothingWrong((tally) => performReadErrors(prepared, tally)),
);

test('a medium that vanishes in the middle is named, and leaves all or nothing', { timeout }, () =>
  nothingWrong((tally) => performVanishing(prepared, tally, 3)),
);

test(
  'of several processes at once one does the act, and the others are told why not',
  { timeout },
  () => nothingWrong((tally) => performTwice(prepared, tally, 1)),
);

test('a clock that jumps opens nothing, locks nobody out, and shows in the log', { timeout }, () =>
  nothingWrong((tally) => performJumps(prepared, tally)),
);
