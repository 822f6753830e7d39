/** Fetches from the core, and again whenever a topic that it depends on has changed. */
import { useCallback, useEffect, useState } from 'react';
import type { AppError } from '#shared/errors.ts';
import { toAppError, useApp, type Topic } from './store.ts';

export interface Query<T> {
  readonly data: T | undefined;
  readonly error: AppError | undefined;
  readonly reload: () => void;
}

/**
 * `key` names what is asked for: another key is another question, and the old answer is dropped, unless `keep` says that it
 * may stand until the new one is there.
 */
export function useQuery<T>(
  key: string,
  ask: () => Promise<T>,
  topics: readonly Topic[],
  { keep = false }: { readonly keep?: boolean } = {},
): Query<T> {
  const revision = useApp(({ revisions }) => topics.map((topic) => revisions[topic] ?? 0).join());
  const [again, setAgain] = useState(0);
  const [answer, setAnswer] = useState<{ key: string; data?: T; error?: AppError }>({ key });
  useEffect(() => {
    let current = true;
    ask().then(
      (data) => current && setAnswer({ key, data }),
      (error: unknown) => current && setAnswer({ key, error: toAppError(error) }),
    );
    return () => {
      current = false;
    };
    // `ask` is described by `key`; listing it would ask again on every drawing.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [key, revision, again]);
  const reload = useCallback(() => setAgain((count) => count + 1), []);
  const fits = answer.key === key;
  return {
    data: fits || keep ? answer.data : undefined,
    error: fits ? answer.error : undefined,
    reload,
  };
}
