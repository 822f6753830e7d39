/** The one typed client of the window. Replies are parsed, so a newer core cannot feed it what it does not understand. */
import { z } from 'zod';
import { appEvent, contract, type AppClient, type AppEvent } from '#shared/contract/index.ts';
import { createClient } from '#shared/rpc.ts';

// The policy of the page allows no code from text, which zod would otherwise use to go faster.
z.config({ jitless: true });

export const client: AppClient = createClient(contract, (path, input) =>
  window.strongroom.invoke(path, input),
);

export function onAppEvent(listener: (event: AppEvent) => void): () => void {
  return window.strongroom.onEvent((event) => {
    const parsed = appEvent.safeParse(event);
    if (parsed.success) listener(parsed.data);
  });
}
