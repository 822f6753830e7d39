/** The whole application in this process, on a temporary vault with a cheap password hash. */
import { mkdirSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { Clock } from '#platform/clock.ts';
import { appPasswords, openBareApp, type BareApp } from './bare-app.ts';
import { temporaryFolder } from './vaults.ts';

export { appPasswords } from './bare-app.ts';

export interface TestApp extends BareApp {
  as(user: keyof typeof appPasswords): Promise<void>;
}

export function openTestApp(dir = temporaryFolder(), clock?: Clock): TestApp {
  const opened = openBareApp(dir, clock === undefined ? {} : { clock });
  const { app, client } = opened;
  // In a hook there is no test that could finish; the hook closes what it opened.
  try {
    onTestFinished(() => app.close());
  } catch {
    // Asked outside of a test.
  }
  return {
    ...opened,
    async as(user) {
      if ((await client.vault.status(null)).state === 'open') await client.vault.seal(null);
      await client.vault.signIn({ user, password: appPasswords[user] });
    },
  };
}

/** With its four people; signed in as the administrator. */
export async function openPeopledApp(): Promise<TestApp> {
  const test = openTestApp();
  mkdirSync(test.dir, { recursive: true });
  await test.client.vault.create({ user: 'ada', password: appPasswords.ada });
  for (const [name, role] of [
    ['grace', 'analyst'],
    ['alan', 'approver'],
    ['audrey', 'auditor'],
  ] as const)
    await test.client.users.add({ name, role, password: appPasswords[name] });
  return test;
}
