/** One act at a time from a page or dialog: pending, its error, and for jobs their progress and checked result. */
import { useRef, useState } from 'react';
import type { z } from 'zod';
import type { Operation } from '#shared/contract/operations.ts';
import { AppError } from '#shared/errors.ts';
import type { Started } from '#shared/rpc.ts';
import { appStore, toAppError, useApp } from './store.ts';

export interface Act {
  readonly pending: boolean;
  readonly error: AppError | undefined;
  /** Resolves true when it worked. */
  run(work: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useAct(): Act {
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<AppError>();
  // A second click can come before the button is drawn as disabled.
  const working = useRef(false);
  return {
    pending,
    error,
    clear: () => setError(undefined),
    async run(work) {
      if (working.current) return false;
      working.current = true;
      setPending(true);
      setError(undefined);
      try {
        await work();
        return true;
      } catch (caught) {
        setError(toAppError(caught));
        return false;
      } finally {
        working.current = false;
        setPending(false);
      }
    },
  };
}

/** The state of a job by its id. */
export function useOperation(operationId: string | undefined): Operation | undefined {
  return useApp(({ operations }) =>
    operations.find((operation) => operation.operationId === operationId),
  );
}

/** Waits for a job to end; its result is checked against the method's output. */
export async function finished<O extends z.ZodType>(
  declared: { readonly output: O },
  started: Promise<Started>,
  onStart?: (operationId: string) => void,
): Promise<z.infer<O>> {
  const { operationId } = await started;
  onStart?.(operationId);
  const operation = await new Promise<Operation>((resolve, reject) => {
    const look = (): void => {
      const { operations, status } = appStore.getState();
      const found = operations.find((known) => known.operationId === operationId);
      if (found !== undefined && found.state !== 'running') settle(() => resolve(found));
      else if (found === undefined && status !== undefined && status.state === 'sealed' && sawIt)
        settle(() => reject(new AppError('locked', 'The vault was sealed before this was done.')));
      if (found !== undefined) sawIt = true;
    };
    let sawIt = false;
    const settle = (finish: () => void): void => {
      stop();
      finish();
    };
    const stop = appStore.subscribe(look);
    look();
  });
  if (operation.error !== null) {
    const { code, message, details } = operation.error;
    throw new AppError(code, message, details === undefined ? {} : { details });
  }
  return declared.output.parse(operation.result);
}
