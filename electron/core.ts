/** Entry of the core process: `node electron/core.ts --vault DIR --host NAME [--pins DIR] [--inbox DIR]`, with an IPC channel to its host. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { closeInherited } from '#platform/inherited.ts';
import { serveCore } from './app/core-process.ts';

process.umask(0o077);
closeInherited();
// A Control-C in the terminal goes to the host too, which asks the core to close and waits until it is sealed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const { values } = parseArgs({
  options: {
    vault: { type: 'string' },
    host: { type: 'string' },
    pins: { type: 'string' },
    inbox: { type: 'string' },
  },
});
const { vault, host, pins, inbox } = z
  .object({
    vault: z.string(),
    host: z.enum(['electron', 'chromium']),
    pins: z.string().optional(),
    inbox: z.string().optional(),
  })
  .parse(values);
serveCore({
  vaultDir: vault,
  host,
  ...(pins === undefined ? {} : { pinsDir: pins }),
  ...(inbox === undefined ? {} : { inboxDir: inbox }),
});
