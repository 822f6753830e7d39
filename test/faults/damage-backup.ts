/**
 * Flipped bits, cut-off ends and missing files in a backup: the check finds each, and a restore makes either no vault or the one
 * that was backed up.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { contract } from '#shared/contract/index.ts';
import { codeOf, openBareApp } from '../support/bare-app.ts';
import { everyNth, filesIn, flipBit, lookAt, namesOfDamage } from './damage.ts';
import { copyFor, type Prepared } from './prepared.ts';
import type { Tally } from './table.ts';

/** Every `step`-th of the places worth damaging; 1 tries all of them. */
export async function performBackupDamage(
  prepared: Prepared,
  tally: Tally,
  step: number,
): Promise<void> {
  const medium = join(prepared.dir, 'backup/medium');
  const seen = await restored(prepared, () => undefined);
  const files = filesIn(medium).map((path) => relative(medium, path));
  for (const file of files) {
    const where = file.endsWith('.json') ? 'manifest of a backup' : 'piece of a backup';
    const { size } = statSync(join(medium, file));
    const attempt = (fault: string, what: string, change: (path: string) => void): Promise<void> =>
      tally.attempt(fault, where, async () => {
        const after = await restored(prepared, (dir) => change(join(dir, 'medium', file)));
        if (typeof after === 'string') return `found, ${after}`;
        assert.deepEqual(after, seen, `${file}, ${what}: unnoticed, and another vault came of it`);
        return 'harmless';
      });
    for (const at of everyNth(placesIn(file, size), step))
      await attempt('flipped bit', `bit of byte ${at}`, (path) =>
        writeFileSync(path, flipBit(readFileSync(path), at)),
      );
    for (const length of new Set(everyNth([0, 1, size >> 1, size - 1], Math.ceil(step / 8))))
      await attempt('cut off', `cut to ${length} of ${size}`, (path) =>
        writeFileSync(path, readFileSync(path).subarray(0, length)),
      );
    await attempt('missing', 'missing', (path) => rmSync(path));
  }
}

/** A manifest is text, which is tried closely; a piece is covered by one digest. */
function placesIn(file: string, size: number): number[] {
  const apart = file.endsWith('.json') ? 7 : Math.max(1, Math.ceil(size / 16));
  const places = Array.from({ length: Math.ceil(size / apart) }, (_, at) => at * apart);
  return [...places, size - 1];
}

/** The vault that a restore gives, or the name of what was found; what the check says must agree with that. */
async function restored(
  prepared: Prepared,
  damage: (dir: string) => void,
): Promise<Readonly<Record<string, unknown>> | string> {
  const { dir, place } = await copyFor(prepared, 'restore');
  damage(dir);
  const { app, client, wait } = openBareApp(dir);
  try {
    const folders = [app.admitFile(join(dir, 'medium'))];
    const checked = await wait(contract.backups.check, client.backups.check({ folders })).then(
      ({ status }) => status === 'whole',
      () => false,
    );
    const code = await codeOf(wait(contract.backups.restore, client.backups.restore({ folders })));
    assert.equal(checked, code === undefined, `checked as whole: ${checked}; restored: ${code}`);
    if (code === undefined) return await lookAt(dir, place.logSize);
    assert.ok(namesOfDamage.includes(code), `it was called ${code}`);
    assert.ok(!existsSync(join(dir, 'vault/vault.json')), 'a vault was made');
    return code;
  } finally {
    await app.close();
    rmSync(dir, { recursive: true });
  }
}
