/** Handlers of serving models to other programs. */
import type { contract } from '#shared/contract/index.ts';
import type { Handlers } from '../handler.ts';
import type { HandlerDeps } from './deps.ts';

export function servingHandlers({
  serving,
}: HandlerDeps): Pick<Handlers<typeof contract>, 'serving'> {
  return {
    serving: {
      status: () => serving.status(),
      start: async ({ note }, input) => {
        const started = await serving.start(input);
        const { maxQueueDelayMicroseconds, maxBatch } = input;
        note({ details: { address: started.address, maxQueueDelayMicroseconds, maxBatch } });
        return started;
      },
      stop: async ({ note }) => {
        const served = await serving.stop();
        if (served !== undefined) note({ details: { ...served } });
        return serving.status();
      },
    },
  };
}
