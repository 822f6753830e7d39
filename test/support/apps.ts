/** The whole application in this process, on a temporary vault with a cheap password hash. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { contract, type AppClient } from '#shared/contract/index.ts';
import { AppError } from '#shared/errors.ts';
import { createClient, type Started } from '#shared/rpc.ts';
import type { Clock } from '#platform/clock.ts';
import { createApp, type App } from '#app/create-app.ts';
import { cheapKdf, temporaryFolder } from './vaults.ts';

export const appPasswords = {
  ada: 'a quiet harbour',
  grace: 'windmills at noon',
  alan: 'the second signature',
  audrey: 'trust but recompute',
} as const;

export interface TestApp {
  readonly app: App;
  readonly client: AppClient;
  readonly dir: string;
  as(user: keyof typeof appPasswords): Promise<void>;
  /** Waits for a job; throws its error. */
  wait<O extends z.ZodType>(
    declared: { readonly output: O },
    started: Promise<Started>,
  ): Promise<z.infer<O>>;
}

/** Calls travel as JSON text, as between processes. */
export function openTestApp(dir = temporaryFolder(), clock?: Clock): TestApp {
  const app = createApp({
    vaultDir: join(dir, 'vault'),
    pinsDir: join(dir, 'pins'),
    host: 'cli',
    inboxDir: dir,
    kdf: cheapKdf,
    ...(clock === undefined ? {} : { clock }),
  });
  // In a hook there is no test that could finish; the hook closes what it opened.
  try {
    onTestFinished(() => app.close());
  } catch {
    // Asked outside of a test.
  }
  const overWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const client = createClient(contract, async (path, input) =>
    overWire(await app.dispatch(path, overWire(input))),
  );
  return {
    app,
    client,
    dir,
    async as(user) {
      if ((await client.vault.status(null)).state === 'open') await client.vault.seal(null);
      await client.vault.signIn({ user, password: appPasswords[user] });
    },
    async wait(declared, started) {
      const { operationId } = await started;
      const operation = await app.settled(operationId, () => undefined);
      if (operation.error !== null)
        throw new AppError(
          operation.error.code,
          operation.error.message,
          operation.error.details === undefined ? {} : { details: operation.error.details },
        );
      return declared.output.parse(overWire(operation.result));
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
