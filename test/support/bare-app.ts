/** The whole application on a vault with a cheap password hash: for tests, and for the children that they kill. */
import { join } from 'node:path';
import type { z } from 'zod';
import { contract, type AppClient } from '#shared/contract/index.ts';
import { AppError } from '#shared/errors.ts';
import { createClient, type Started } from '#shared/rpc.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { createApp, type App, type AppOptions } from '#app/create-app.ts';
import { cheapKdf } from './bare-vault.ts';

export const sampleDir = join(import.meta.dirname, '../../resources/sample');

export const appPasswords = {
  ada: 'a quiet harbour',
  grace: 'windmills at noon',
  alan: 'the second signature',
  audrey: 'trust but recompute',
} as const;

export interface BareApp {
  readonly app: App;
  readonly client: AppClient;
  readonly dir: string;
  /** Waits for a job; throws its error. */
  wait<O extends z.ZodType>(
    declared: { readonly output: O },
    started: Promise<Started>,
  ): Promise<z.infer<O>>;
}

/** The vault is the folder `vault` in `dir`. Calls travel as JSON text, as between processes. */
export function openBareApp(
  dir: string,
  options: Pick<AppOptions, 'clock' | 'checkpointMs'> = {},
): BareApp {
  const app = createApp({
    vaultDir: join(dir, 'vault'),
    pinsDir: join(dir, 'pins'),
    host: 'cli',
    inboxDir: dir,
    kdf: cheapKdf,
    ...options,
  });
  const overWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const client = createClient(contract, async (path, input) =>
    overWire(await app.dispatch(path, overWire(input))),
  );
  return {
    app,
    client,
    dir,
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

/** Undefined for what went well. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => errorToBody(error).code,
  );
}

/** The model of the sample, whose maker is trusted first. Somebody who may do both is signed in. */
export async function importSample({ app, client, wait }: BareApp): Promise<void> {
  const file = (path: string): string => app.admitFile(join(sampleDir, path));
  const key = file('keys/SAMPLE-ONLY-do-not-trust.pub.pem');
  await client.trust.add({ name: 'Model maker', file: key });
  await wait(contract.bundles.import, client.bundles.import({ source: file('credit-risk') }));
}
