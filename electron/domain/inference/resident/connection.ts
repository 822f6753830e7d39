/** In the core: one resident child and the pipe to it, which takes one request at a time. */
import { z } from 'zod';
import { errorCodes, AppError } from '#shared/errors.ts';
import type { Pipeline } from '#domain/pipeline/index.ts';
import { createFrameReader } from '../frame-reader.ts';
import { BadFrame, encodeFrame, type Frame, type Tensors } from '../frames.ts';
import { createOpenFiles, type ModelFiles } from '../open-files.ts';
import {
  answerOf,
  ChildDied,
  startChild,
  toError,
  type LiveChild,
  type RunLimits,
} from '../process.ts';
import type { BodyOf, KindName, ValueOf } from './kinds.ts';
import { replies } from './replies.ts';

export interface ResidentRequest<K extends KindName> {
  readonly kind: K;
  /** JSON. */
  readonly body: BodyOf<K>;
  readonly tensors?: Tensors;
}

export interface ResidentReply<K extends KindName> {
  readonly value: ValueOf<K>;
  readonly tensors: Tensors;
  readonly times: RequestTimes;
}

/** As Triton counts them, in nanoseconds. They sum up to the whole. */
export interface RequestTimes {
  /** Until the child is given the request; its start is in it, when it has to start. */
  readonly queueNs: number;
  /** In the child, before the model is run. */
  readonly inputNs: number;
  readonly inferNs: number;
  /** The rest, with the way through the pipe, there and back. */
  readonly outputNs: number;
}

export interface Resident extends AsyncDisposable {
  /** One at a time. Ends the child when the time is over, and soon after `signal`. */
  ask<K extends KindName>(
    request: ResidentRequest<K>,
    bounds: {
      readonly timeoutMs: number;
      /** When the request came, by `process.hrtime`. */
      readonly since: bigint;
      readonly signal: AbortSignal;
    },
  ): Promise<ResidentReply<K>>;
  hasEnded(): boolean;
  memory(): number;
}

/** What a cancelled request may still take before its child is ended, and a warm model with it. */
const graceMs = 250;
/** Many short requests are one piece of work: the watch over memory goes on between them. */
const restAfterMs = 500;

const replyBody = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('ok'),
    value: z.unknown(),
    inputNs: z.number().min(0),
    inferNs: z.number().min(0),
  }),
  z.strictObject({
    status: z.literal('failed'),
    code: z.enum(errorCodes),
    message: z.string().max(4000),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
]);

/** Resolves when the model is loaded. Rejects with an `AppError`, or `ChildDied`. */
export async function startResident(options: {
  readonly modelFiles: ModelFiles;
  readonly pipeline: Pipeline | undefined;
  readonly threads: number;
  readonly limits: RunLimits;
  readonly signal: AbortSignal;
  /** Also for a child that ends while nobody asks. */
  readonly onEnd: (resident: Resident) => void;
}): Promise<Resident> {
  const { modelFiles, pipeline, threads, limits, signal } = options;
  const { reference } = modelFiles;
  await using files = createOpenFiles();
  const job = {
    kind: 'resident' as const,
    ...(await files.model(modelFiles)),
    reference: reference === undefined ? null : await files.sealed(reference),
    pipeline: pipeline ?? null,
    threads,
  };
  const child = await startChild({ files: files.descriptors(), limits }, { isResident: true });
  try {
    await answerOf(child, { job, limits, signal });
    const resident = converse(child);
    child.died.catch(() => options.onEnd(resident));
    return resident;
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

function converse(child: LiveChild): Resident {
  const { stdin, stdout } = child.process;
  if (stdin === null || stdout === null) throw new Error('The child has no pipes.');
  let hasEnded = false;
  child.died.catch(() => (hasEnded = true));
  let hear: ((frame: Frame) => void) | undefined;
  const reader = createFrameReader();
  // A child that ended no longer takes bytes: that shows in how it ended.
  stdin.on('error', () => undefined);
  stdout.on('data', (chunk: Buffer) => {
    try {
      const frame = reader.push(chunk);
      if (frame === undefined) return;
      if (hear === undefined) throw new BadFrame('Nobody asked.');
      hear(frame);
    } catch {
      child.end(noAnswer());
    }
  });
  let isWatched = true;
  const rest = setTimeout(() => {
    if (hear === undefined) child.watch((isWatched = false));
  }, restAfterMs);
  rest.unref();

  return {
    async ask(request, { timeoutMs, since, signal }) {
      signal.throwIfAborted();
      const { kind, body, tensors = {} } = request;
      const parts = encodeFrame({ body: { kind, body }, tensors });
      if (!isWatched) child.watch((isWatched = true));
      const answered = new Promise<Frame>((resolve) => (hear = resolve));
      const timer = setTimeout(() => child.end(late(timeoutMs)), timeoutMs);
      let grace: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        grace = setTimeout(() => child.end(signal.reason), graceMs);
      };
      signal.addEventListener('abort', cancel);
      try {
        const given = process.hrtime.bigint();
        for (const part of parts) stdin.write(part);
        const frame = await Promise.race([answered, child.died]);
        const tookNs = Number(process.hrtime.bigint() - given);
        return readReply(frame, kind, { queueNs: Number(given - since), tookNs });
      } catch (error) {
        if (error instanceof BadFrame) child.end(noAnswer());
        throw error instanceof BadFrame ? noAnswer() : error;
      } finally {
        hear = undefined;
        clearTimeout(timer);
        clearTimeout(grace);
        signal.removeEventListener('abort', cancel);
        rest.refresh();
      }
    },
    hasEnded: () => hasEnded,
    memory: () => child.memory(),
    async [Symbol.asyncDispose]() {
      clearTimeout(rest);
      await child[Symbol.asyncDispose]();
    },
  };
}

function late(timeoutMs: number): AppError {
  return new AppError(
    'limit',
    `The model gave no answer within ${timeoutMs / 1000} s, so its process was ended.`,
  );
}

/** Throws the failure that the child tells of; `BadFrame` for what is no reply. */
function readReply<K extends KindName>(
  frame: Frame,
  kind: K,
  { queueNs, tookNs }: { readonly queueNs: number; readonly tookNs: number },
): ResidentReply<K> {
  const reply = replyBody.safeParse(frame.body);
  if (!reply.success) throw new BadFrame('No reply.');
  if (reply.data.status === 'failed') throw toError(reply.data);
  const value = replies[kind].safeParse(reply.data.value);
  if (!value.success) throw new BadFrame('No reply of this kind.');
  // What the child says of its times is bounded by what was measured here.
  const inputNs = Math.min(reply.data.inputNs, tookNs);
  const inferNs = Math.min(reply.data.inferNs, tookNs - inputNs);
  return {
    value: value.data as ValueOf<K>,
    tensors: frame.tensors,
    times: { queueNs, inputNs, inferNs, outputNs: tookNs - inputNs - inferNs },
  };
}

function noAnswer(): ChildDied {
  return new ChildDied('it sent something that is no answer');
}
