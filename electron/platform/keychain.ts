/** The keychain of the operating system, as far as a host can reach one. Off until somebody switches it on. */
import { AppError } from '#shared/errors.ts';

export interface Keychain {
  /** Whether it can be used here, and in words why, or why not. */
  available(): Promise<{ readonly ok: boolean; readonly reason: string }>;
  /** Names are 32 hex digits. */
  store(name: string, secret: Uint8Array): Promise<void>;
  /** Undefined when it does not have the name, or does not give it out any more. */
  load(name: string): Promise<Uint8Array | undefined>;
  remove(name: string): Promise<void>;
}

/** For hosts that have none: they say so, and nothing else works. */
export function noKeychain(reason: string): Keychain {
  const refuse = (): Promise<never> => Promise.reject(new AppError('unavailable', reason));
  return {
    available: () => Promise.resolve({ ok: false, reason }),
    store: refuse,
    load: () => Promise.resolve(undefined),
    remove: () => Promise.resolve(),
  };
}
