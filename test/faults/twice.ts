/** The same act by several processes at the same moment, on one vault: one does it, the others are told why not. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { acts, type ActName } from './acts.ts';
import { performDisturbed } from './disturbed.ts';
import { inspectAfter } from './inspect.ts';
import { copyFor, type Prepared } from './prepared.ts';
import type { Tally } from './table.ts';

const processes = 3;
const told = ['busy', 'conflict'];

export async function performTwice(prepared: Prepared, tally: Tally, times: number): Promise<void> {
  for (const act of ['init', 'signIn', 'importBundle', 'promote', 'run', 'backup'] as ActName[])
    for (let time = 0; time < times; time += 1)
      await tally.attempt(`${processes} processes at once`, acts[act].name, async () => {
        const { dir, place } = await copyFor(prepared, act);
        const all = await Promise.all(
          Array.from({ length: processes }, (_, round) =>
            performDisturbed({ act, dir, ...place, round }, undefined),
          ),
        );
        const codes = all.map((ended) =>
          ended.kind === 'killed' ? 'killed' : (ended.error?.code ?? 'done'),
        );
        const done = codes.indexOf('done');
        for (const code of codes) assert.ok(code === 'done' || told.includes(code), code);
        assert.notEqual(done, -1, 'nobody did it');
        assert.equal(await inspectAfter(act, dir, { ...place, round: done }, false), 'all');
        rmSync(dir, { recursive: true });
        return 'done, the others told busy or conflict';
      });
}
