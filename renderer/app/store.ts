/** What the whole window knows: the vault's status, the work that goes on, and how often each topic has changed. */
import { createStore, useStore } from 'zustand';
import type { AppEvent } from '#shared/contract/index.ts';
import type { Operation } from '#shared/contract/operations.ts';
import type { VaultStatus } from '#shared/contract/vault.ts';
import { AppError } from '#shared/errors.ts';
import { client, onAppEvent } from './client.ts';

export type Topic = Extract<AppEvent, { kind: 'changed' }>['topic'];

interface AppState {
  readonly status: VaultStatus | undefined;
  readonly failure: AppError | undefined;
  /** A vault was just made, and its recovery key is still to be confirmed. */
  readonly confirming: boolean;
  readonly operations: readonly Operation[];
  readonly revisions: Readonly<Partial<Record<Topic, number>>>;
}

export const appStore = createStore<AppState>(() => ({
  status: undefined,
  failure: undefined,
  confirming: false,
  operations: [],
  revisions: {},
}));

export function useApp<T>(select: (state: AppState) => T): T {
  return useStore(appStore, select);
}

export async function refreshStatus(): Promise<void> {
  try {
    appStore.setState({ status: await client.vault.status(null), failure: undefined });
  } catch (error) {
    appStore.setState({ failure: toAppError(error) });
  }
}

async function refreshOperation(operationId: string): Promise<void> {
  try {
    const fresh = await client.operations.get({ operationId });
    appStore.setState(({ operations }) => ({
      operations: operations.some((known) => known.operationId === operationId)
        ? operations.map((known) => (known.operationId === operationId ? fresh : known))
        : [fresh, ...operations],
    }));
  } catch {
    // The vault was sealed meanwhile, and its work is forgotten.
  }
}

/** Starts listening to the core. Call once. */
export function connect(): () => void {
  void refreshStatus();
  void client.operations.list(null).then(
    (operations) => appStore.setState({ operations }),
    () => undefined, // the status call shows why
  );
  return onAppEvent((event) => {
    if (event.kind === 'operation') {
      void refreshOperation(event.operationId);
      return;
    }
    appStore.setState(({ revisions }) => ({
      revisions: { ...revisions, [event.topic]: (revisions[event.topic] ?? 0) + 1 },
    }));
    if (event.topic === 'vault') {
      void refreshStatus().then(() => {
        if (appStore.getState().status?.state !== 'open') appStore.setState({ operations: [] });
      });
    }
  });
}

export function toAppError(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError(
        'internal',
        'The window and the core do not understand each other. Start the program again.',
      );
}
