/**
 * The core as a child process on the shipped Node, for hosts that show a window: same protocol in every host, JSON over the
 * IPC channel. If the core dies, what was asked of it fails with `unavailable`; it never outlives its host.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import { appEvent, type AppEvent } from '#shared/contract/index.ts';
import type { Keychain } from '#platform/keychain.ts';
import { createApp } from './create-app.ts';
import { answerKeychain, remoteKeychain } from './keychain-channel.ts';

const request = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('invoke'),
    id: z.string(),
    path: z.string(),
    input: z.unknown(),
  }),
  z.strictObject({ kind: z.literal('admit'), id: z.string(), path: z.string() }),
  z.strictObject({ kind: z.literal('screen-locked'), id: z.string() }),
  z.strictObject({ kind: z.literal('close'), id: z.string() }),
]);

const reply = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reply'), id: z.string(), value: z.unknown() }),
  z.strictObject({ kind: z.literal('event'), event: appEvent }),
]);

export interface CoreOptions {
  readonly vaultDir: string;
  readonly pinsDir?: string;
  readonly inboxDir?: string;
  readonly host: 'electron' | 'chromium';
}

export interface Core {
  /** Resolves with the envelope; rejects with `unavailable` when the core is gone. */
  invoke(path: string, input: unknown): Promise<unknown>;
  /** A token for a path that a person picked in the host's own dialog. */
  admit(path: string): Promise<string>;
  onEvent(listener: (event: AppEvent) => void): () => void;
  onExit(listener: () => void): void;
  screenLocked(): Promise<void>;
  close(): Promise<void>;
}

const coreEntry = fileURLToPath(new URL('../core.ts', import.meta.url));

/** Starts the core; `nodePath` is the Node binary that ships with the program, `entry` its script. */
export function startCore(
  options: CoreOptions & {
    readonly nodePath: string;
    readonly entry?: string;
    /** What the core may ask for secrets of people who want it. */
    readonly keychain?: Keychain;
  },
): Core {
  const args = [
    '--disable-sigusr1',
    options.entry ?? coreEntry,
    '--vault',
    options.vaultDir,
    '--host',
    options.host,
  ];
  if (options.pinsDir !== undefined) args.push('--pins', options.pinsDir);
  if (options.inboxDir !== undefined) args.push('--inbox', options.inboxDir);
  // No debugger on a signal and, where there is a shell to say so, no memory in a core dump: the keys are in it.
  const [command, ...rest] =
    process.platform === 'win32'
      ? [options.nodePath, ...args]
      : ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'sh', options.nodePath, ...args];
  const child = spawn(command, rest, {
    // Nothing of Node's own settings: a debugger in the process of the keys is one of them.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^NODE_/i.test(name))),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    windowsHide: true,
  });
  const pending = new Map<
    string,
    { resolve(value: unknown): void; reject(error: unknown): void }
  >();
  const listeners = new Set<(event: AppEvent) => void>();
  let gone = false;

  function ask(message: Record<string, unknown>): Promise<unknown> {
    if (gone) return Promise.reject(coreGone());
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      pending.set(id, { resolve, reject });
      child.send({ ...message, id }, (error) => {
        if (error !== null) reject(coreGone());
      });
    });
  }

  const forKeychain =
    options.keychain === undefined
      ? undefined
      : answerKeychain(options.keychain, (message) => void child.send(message));
  child.on('message', (message) => {
    if (forKeychain?.(message) === true) return;
    const parsed = reply.parse(message);
    if (parsed.kind === 'event') {
      for (const listener of listeners) listener(parsed.event);
      return;
    }
    pending.get(parsed.id)?.resolve(parsed.value);
    pending.delete(parsed.id);
  });
  const ended = (): void => {
    gone = true;
    for (const { reject } of pending.values()) reject(coreGone());
    pending.clear();
  };
  child.once('exit', ended);
  // It could not be started, or not be reached any more.
  child.on('error', ended);

  return {
    invoke: (path, input) => ask({ kind: 'invoke', path, input }),
    admit: async (path) => z.string().parse(await ask({ kind: 'admit', path })),
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onExit: (listener) => void child.once('exit', listener),
    screenLocked: async () => void (await ask({ kind: 'screen-locked' })),
    async close() {
      if (gone) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      await ask({ kind: 'close' }).catch(() => undefined); // it may end before it answers
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The other end: runs in the core process until its host is gone. */
export function serveCore(options: CoreOptions): void {
  // The Electron host alone has one; it answers over the channel.
  const keychain =
    options.host === 'electron'
      ? remoteKeychain({
          send: (message) => void process.send?.(message),
          onMessage: (listener) => void process.on('message', listener),
        })
      : undefined;
  const app = createApp({ ...options, ...(keychain === undefined ? {} : { keychain }) });
  // A host that was killed hears nothing; that it is gone is told by `disconnect`, and the vault is sealed then.
  const tell = (message: object): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  const answer = (id: string, value: unknown): void => tell({ kind: 'reply', id, value });
  app.onEvent((event) => tell({ kind: 'event', event }));
  process.on('message', (message) => {
    const parsed = request.safeParse(message);
    if (parsed.success) void serve(parsed.data);
  });
  process.once('disconnect', () => void app.close().finally(() => process.exit(0)));

  async function serve(message: z.infer<typeof request>): Promise<void> {
    switch (message.kind) {
      case 'invoke':
        return answer(message.id, await app.dispatch(message.path, message.input));
      case 'admit':
        return answer(message.id, app.admitFile(message.path));
      case 'screen-locked':
        await app.screenLocked();
        return answer(message.id, null);
      case 'close':
        await app.close();
        return answer(message.id, null);
    }
  }
}

function coreGone(): AppError {
  return new AppError(
    'unavailable',
    'The core of Strongroom has ended. The vault is sealed and nothing was lost; start the program again.',
  );
}
