/** The whole product behind one door: `dispatch`. Every host, the command line and the tests go through it. */
import type { Envelope } from '#shared/rpc.ts';
import type { AppEvent } from '#shared/contract/index.ts';
import type { Operation } from '#shared/contract/operations.ts';
import { hostname } from 'node:os';
import { systemClock, type Clock } from '#platform/clock.ts';
import { noKeychain, type Keychain } from '#platform/keychain.ts';
import { createInference } from '#domain/inference/index.ts';
import { createFileTokens, watchMedia } from '#domain/media/index.ts';
import type { KdfChoice } from '#domain/vault/index.ts';
import packageFacts from '../../package.json' with { type: 'json' };
import { createDispatcher } from './dispatcher.ts';
import { createHandlers } from './handlers/index.ts';
import { createOperations } from './operations.ts';
import { createPinGuard } from './pin-guard.ts';
import { createServing } from './serving.ts';
import { createSessions } from './sessions.ts';

export interface App {
  /** Never throws: errors are in the envelope. */
  dispatch(path: string, input: unknown): Promise<Envelope>;
  onEvent(listener: (event: AppEvent) => void): () => void;
  /** For hosts only: a token for a path that a person has picked in the host's own way. */
  admitFile(path: string): string;
  /** Resolves with the operation when it has ended. */
  settled(operationId: string, onProgress: (operation: Operation) => void): Promise<Operation>;
  screenLocked(): Promise<void>;
  close(): Promise<void>;
}

export interface AppOptions {
  readonly vaultDir: string;
  readonly host: 'electron' | 'chromium' | 'cli';
  /** A folder that is offered beside the removable drives. */
  readonly inboxDir?: string;
  /** Where the newest checkpoints are kept outside the vault; without it nowhere. */
  readonly pinsDir?: string;
  readonly clock?: Clock;
  /** Of the operating system; without it there is none. */
  readonly keychain?: Keychain;
  /** In place of the profile's cost; tests pay less. */
  readonly kdf?: KdfChoice;
  /** How often a run records how far it came; tests do not wait for that. */
  readonly checkpointMs?: number;
}

type Topic = Extract<AppEvent, { kind: 'changed' }>['topic'];

/** What else an act may have changed, by the area of the method. */
const topicsByArea: Readonly<Record<string, readonly Topic[]>> = {
  users: ['users'],
  keys: ['users'],
  trust: ['trust'],
  policy: ['policy', 'serving'],
  bundles: ['models', 'monitor'],
  models: ['models'],
  bindings: ['models'],
  runs: ['runs', 'monitor', 'models'],
  records: ['models'],
  monitor: ['monitor', 'models', 'runs'],
  reports: ['reports'],
  erasure: ['models', 'runs', 'monitor'],
  serving: ['serving'],
};

export function createApp(options: AppOptions): App {
  const clock = options.clock ?? systemClock;
  const listeners = new Set<(event: AppEvent) => void>();
  const emit = (event: AppEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const operations = createOperations({
    clock,
    onChange: (operationId) => emit({ kind: 'operation', operationId }),
  });
  const pins = createPinGuard(options.pinsDir, options.vaultDir);
  const keychain =
    options.keychain ??
    noKeychain('This host has no keychain. The vault opens with passwords and the recovery key.');
  const sessions = createSessions({
    pins,
    keychain,
    dir: options.vaultDir,
    clock,
    host: `${options.host}:${hostname()}`.slice(0, 120),
    kdf: options.kdf,
    beforeSeal: async () => {
      // Before the pool: what is under way may be finished.
      await serving.end('seal');
      await Promise.all([operations.clear(), inference.pool.empty(), dispatcher.settled()]);
      // A call that was under way may have started one more.
      await inference.pool.empty();
    },
    isWorking: () => operations.running(),
    onChange: () => emit({ kind: 'changed', topic: 'vault' }),
    onAccepted: () => {
      for (const topic of ['users', 'audit', 'vault'] as const) emit({ kind: 'changed', topic });
    },
  });
  const inference = createInference(
    options.checkpointMs === undefined ? {} : { batch: { checkpointMs: options.checkpointMs } },
  );
  const serving = createServing({
    sessions,
    clock,
    version: packageFacts.version,
    pool: inference.pool,
    onChange: () => {
      for (const topic of ['serving', 'audit'] as const) emit({ kind: 'changed', topic });
    },
  });
  const tokens = createFileTokens();
  const handlers = createHandlers({
    pins,
    keychain,
    clock,
    host: options.host,
    vaultDir: options.vaultDir,
    version: packageFacts.version,
    inboxDir: options.inboxDir,
    tokens,
    sessions,
    operations,
    inference,
    serving,
  });
  const dispatcher = createDispatcher({
    handlers,
    sessions,
    operations,
    onActed: (area) => {
      for (const topic of [...(topicsByArea[area] ?? []), 'audit', 'vault'] as const)
        emit({ kind: 'changed', topic });
    },
  });
  // Nobody at a command line waits for a drive to show up in a list.
  const media =
    options.host === 'cli'
      ? undefined
      : watchMedia(() => emit({ kind: 'changed', topic: 'media' }));
  const onEvent = (listener: (event: AppEvent) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  return {
    dispatch: dispatcher.dispatch,
    onEvent,
    admitFile: tokens.admit,
    settled: (operationId, onProgress) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          try {
            const operation = operations.get(operationId);
            if (operation.state === 'running') onProgress(operation);
            else {
              stop();
              resolve(operation);
            }
          } catch (error) {
            stop();
            reject(error);
          }
        };
        const stop = onEvent((event) => {
          if (event.kind === 'operation' && event.operationId === operationId) look();
        });
        look();
      }),
    screenLocked: () => sessions.seal('locked-screen'),
    async close() {
      media?.stop();
      await operations.clear();
      await sessions.seal('command');
    },
  };
}
