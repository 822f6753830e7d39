/**
 * The inference child: takes one job over IPC, does it, answers, and ends; a resident one then takes requests. It holds the
 * keys of one model's files and nothing else of the vault; it is started in an empty folder under limits of memory and
 * processor time. Whatever a hostile model does to it, the core sees only a message that does not come.
 */
import { AppError } from '#shared/errors.ts';
import { runtimeReason, tooMuch, wantsTooMuch } from './load-errors.ts';
import type { ChildMessage, Job } from './protocol.ts';

export function serveOneJob(): void {
  const send = (message: ChildMessage): Promise<void> =>
    new Promise((resolve) => process.send?.(message, () => resolve()));
  // Without its core the child has no reason to live.
  process.once('disconnect', () => process.exit(0));
  process.once('message', (message) => {
    void work(message, { send, order: takeOrders() }).then(() => process.exit(0));
  });
  void send({ kind: 'ready' });
}

/** What a job can say to its core, and hear. */
export interface Core {
  send(message: ChildMessage): Promise<void>;
  /** The next order, in the order in which they were given. */
  order(): Promise<unknown>;
}

function takeOrders(): Core['order'] {
  const given: unknown[] = [];
  let wake = (): void => undefined;
  process.on('message', (message) => {
    given.push((message as { readonly order: unknown }).order);
    wake();
  });
  return async () => {
    while (given.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return given.shift();
  };
}

async function work(message: unknown, core: Core): Promise<void> {
  try {
    await core.send({ kind: 'done', result: await perform(message as Job, core) });
  } catch (error) {
    await core.send(toFailure(error));
  }
}

async function perform(job: Job, core: Core): Promise<unknown> {
  const { send } = core;
  await send({ kind: 'progress', stage: 'load', done: 0, total: 1, rows: 0 });
  // Code of other jobs is not loaded.
  if (job.kind === 'read') {
    const { readTable } = await import('./batch/read-table.ts');
    return readTable(job, core);
  }
  if (job.kind === 'preview') {
    const { previewTable } = await import('./batch/preview-table.ts');
    return previewTable(job);
  }
  if (job.kind === 'join') {
    const { joinTable } = await import('./batch/join-table.ts');
    return joinTable(job, core);
  }
  if (job.kind === 'convert') {
    const { convertTable } = await import('#domain/tables/index.ts');
    const { openSource } = await import('./batch/source.ts');
    const from = await openSource(job.source);
    const { outputFd: to, format, columns } = job;
    const total = from.sizeBytes;
    await convertTable(format, {
      from,
      to,
      columns,
      onProgress: (done) => void send({ kind: 'progress', stage: 'run', done, total, rows: 0 }),
    });
    return null;
  }
  const { loadModel } = await import('./runtime.ts');
  if (job.kind === 'contact') {
    const { contactModel } = await import('./contact.ts');
    const model = await loadModel(job, { runtime: job.runtime, threads: 1 });
    // From here on another limit of time counts.
    await send({ kind: 'progress', stage: 'run', done: 0, total: 1, rows: 0 });
    return contactModel(job, model);
  }
  const model = await loadModel(job, { runtime: 'native', threads: job.threads });
  if (job.kind === 'resident') {
    const { serveRequests } = await import('./resident/serve.ts');
    await send({ kind: 'done', result: null });
    const files = { model: job.model, reference: job.reference };
    return serveRequests({ model, pipeline: job.pipeline ?? undefined, files }, toFailure);
  }
  const { scoreTable } = await import('./batch/score-table.ts');
  return scoreTable(job, model, core);
}

function toFailure(thrown: unknown): ChildMessage {
  const error = wantsTooMuch(thrown) ? tooMuch(thrown) : thrown;
  if (error instanceof AppError) {
    return {
      kind: 'failed',
      code: error.code,
      message: error.message,
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return {
      kind: 'failed',
      code: 'io',
      message: 'The disk of the output folder is full. Nothing was lost; make room and try again.',
    };
  if (code === 'EIO')
    return {
      kind: 'failed',
      code: 'io',
      message: 'The medium reports a read or write error. Try another medium.',
    };
  return {
    kind: 'failed',
    code: 'unavailable',
    message: `The model failed while it was running (${runtimeReason(error)}). The vault was not touched.`,
  };
}
