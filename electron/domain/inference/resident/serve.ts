/** In a resident child: one request after another, until the core closes the pipe. Reading blocks; nothing else goes on here. */
import { readFrame, writeFrame, type Frame } from '../frames.ts';
import type { ChildMessage } from '../protocol.ts';
import type { LoadedModel } from '../runtime.ts';
import { residentKinds, type Answer, type KindName, type ResidentContext } from './kinds.ts';

/** As the core sends it: what `kind` takes as its `body`. */
interface RequestBody {
  readonly kind: KindName;
  readonly body: unknown;
}

const nanoseconds = (): number => Math.round(performance.now() * 1e6);

export async function serveRequests(
  { model, ...rest }: ResidentContext,
  toFailure: (error: unknown) => ChildMessage,
): Promise<void> {
  const clock = createClock(model);
  const context = { model: clock.model, ...rest };
  const answers = new Map<KindName, Answer<unknown, unknown>>();
  for (;;) {
    const request = readFrame(0);
    if (request === undefined) return;
    clock.start();
    let reply: Frame;
    try {
      const { kind, body } = request.body as RequestBody;
      const answer =
        answers.get(kind) ?? ((await residentKinds[kind]()).answer as Answer<unknown, unknown>);
      answers.set(kind, answer);
      const { value, tensors } = await answer({ body, tensors: request.tensors }, context);
      reply = { body: { status: 'ok', value, ...clock.times() }, tensors: tensors ?? {} };
    } catch (error) {
      const { kind: _, ...failure } = toFailure(error) as Extract<ChildMessage, { kind: 'failed' }>;
      reply = { body: { status: 'failed', ...failure }, tensors: {} };
    }
    writeFrame(1, reply);
  }
}

/** How long the model itself computes, and what goes before, in nanoseconds. */
function createClock(model: LoadedModel): {
  readonly model: LoadedModel;
  start(): void;
  times(): { readonly inputNs: number; readonly inferNs: number };
} {
  let started = 0;
  let firstRun: number | undefined;
  let inferNs = 0;
  return {
    model: {
      ...model,
      async run(feeds) {
        const before = nanoseconds();
        firstRun ??= before;
        try {
          return await model.run(feeds);
        } finally {
          inferNs += nanoseconds() - before;
        }
      },
    },
    start() {
      started = nanoseconds();
      firstRun = undefined;
      inferNs = 0;
    },
    times: () => ({ inputNs: (firstRun ?? nanoseconds()) - started, inferNs }),
  };
}
