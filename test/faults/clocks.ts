/** A clock that jumps, between sessions and within one: what is timed by it must stay safe, and the log must say so. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { contract } from '#shared/contract/index.ts';
import { codeOf, openBareApp, type BareApp } from '../support/bare-app.ts';
import { ada, reason } from './act.ts';
import { copyFor, type Prepared } from './prepared.ts';
import type { Tally } from './table.ts';

const minute = 60_000;
const year = 365 * 24 * 60 * minute;

interface Timed extends BareApp {
  jump(ms: number): void;
}

export async function performJumps(prepared: Prepared, tally: Tally): Promise<void> {
  const jumps: readonly (readonly [string, (timed: Timed) => Promise<string>])[] = [
    ['forward, between sessions', (timed) => betweenSessions(timed, 10 * year)],
    ['back, between sessions', (timed) => betweenSessions(timed, -10 * year)],
    ['forward, within a session', forwardWithin],
    ['back, within a session', backWithin],
    ['forward, while a name is blocked', (timed) => whileBlocked(timed, year)],
    ['back, while a name is blocked', (timed) => whileBlocked(timed, -year)],
  ];
  for (const [where, perform] of jumps)
    await tally.attempt('clock jumps', where, async () => {
      const { dir } = await copyFor(prepared, 'promote');
      let offsetMs = 0;
      const opened = openBareApp(dir, { clock: () => new Date(Date.now() + offsetMs) });
      try {
        return await perform({ ...opened, jump: (ms) => (offsetMs += ms) });
      } finally {
        await opened.app.close();
        rmSync(dir, { recursive: true });
      }
    });
}

async function betweenSessions(timed: Timed, ms: number): Promise<string> {
  const { client, jump } = timed;
  await client.vault.signIn(ada);
  await client.vault.seal(null);
  jump(ms);
  await client.vault.signIn(ada);
  await client.policy.set({ idleMinutes: 7, reason });
  await requireIntact(timed);
  const marks = await clockMarks(timed);
  // The first entry after a jump is marked; time goes on from there.
  assert.equal(marks, ms < 0 ? 1 : 0);
  return ms < 0 ? 'marked in the log' : 'harmless';
}

async function forwardWithin({ client, jump, ...timed }: Timed): Promise<string> {
  await client.vault.signIn(ada);
  jump(16 * minute);
  const code = await codeOf(client.policy.set({ idleMinutes: 7, reason }));
  assert.equal(code, 'locked');
  await client.vault.seal(null);
  await client.vault.signIn(ada);
  assert.equal((await client.policy.show(null)).idleMinutes, 15);
  await requireIntact({ client, jump, ...timed });
  return 'sealed, the act refused';
}

async function backWithin(timed: Timed): Promise<string> {
  const { client, jump } = timed;
  await client.vault.signIn(ada);
  jump(-year);
  await client.policy.set({ idleMinutes: 7, reason });
  const { session } = await client.vault.status(null);
  // Some minutes from the new time on, not a year and some minutes.
  assert.ok(Date.parse(session?.sealsAt ?? '') < Date.now() - year + 16 * minute);
  assert.equal(await clockMarks(timed), 1);
  await requireIntact(timed);
  return 'marked in the log, the idle time starts anew';
}

async function whileBlocked({ client, jump, ...timed }: Timed, ms: number): Promise<string> {
  for (let tries = 0; tries < 5; tries += 1)
    assert.equal(
      await codeOf(client.vault.signIn({ user: 'ada', password: 'a guess' })),
      'wrong-password',
    );
  assert.equal(await codeOf(client.vault.signIn(ada)), 'locked');
  jump(ms);
  if (ms < 0) {
    // A clock set back frees nobody at once, and blocks nobody for longer than one period.
    assert.equal(await codeOf(client.vault.signIn(ada)), 'locked');
    jump(16 * minute);
  }
  await client.vault.signIn(ada);
  const { entries } = await client.audit.list({ action: 'vault.sign-in-failed', limit: 9 });
  assert.deepEqual(entries[0]?.entry.details, { attempts: 5 });
  await requireIntact({ client, jump, ...timed });
  return ms < 0
    ? 'blocked for one period more; the tries are in the log'
    : 'nobody is locked out; the tries are in the log';
}

async function clockMarks({ client }: Timed): Promise<number> {
  const { entries } = await client.audit.list({ limit: 500 });
  return entries.filter(({ entry }) => entry.clock === 'backwards').length;
}

async function requireIntact({ client, wait }: Timed): Promise<void> {
  const { status } = await wait(contract.audit.verify, client.audit.verify({}));
  assert.equal(status, 'intact');
}
