/** Acts killed at every named point and at system calls between: all or nothing, one story, no orphan, no plaintext. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acts, type ActName } from './acts.ts';
import { killsOf, performKills, unnamedWrites, watch, type Watched } from './kills.ts';
import { prepare, type Prepared } from './prepared.ts';
import { createTally } from './table.ts';

describe.skipIf(spawnSync('strace', ['-V']).status !== 0)('killed', () => {
  const watched = new Map<ActName, Watched>();
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare();
    for (const act of Object.keys(acts) as ActName[]) watched.set(act, await watch(prepared, act));
  });
  afterAll(() => rmSync(prepared.dir, { recursive: true, force: true }));

  test('every durable write of an act has a named point after it', () => {
    for (const [act, { lines }] of watched)
      expect({ act, unnamed: unnamedWrites(lines) }).toEqual({ act, unnamed: [] });
  });

  test('at least two hundred kills leave all or nothing', { timeout: 900_000 }, async () => {
    const tally = createTally();
    const kills = [...watched].flatMap(([act, seen]) => killsOf(act, seen, 15));
    await performKills(prepared, kills, tally);
    expect(tally.wrong()).toEqual([]);
    expect(kills.length).toBeGreaterThanOrEqual(200);
  });
});
