/** In the child that reads the input once: what kind of table it is, where its segments are, and its digest. It has no model. */
import { loadDriver, type TableSource } from '#domain/tables/index.ts';
import type { Core } from '../child.ts';
import type { ReadJob } from '../protocol.ts';
import type { ReaderOrder } from './messages.ts';
import { openSource } from './source.ts';

export async function readTable(job: ReadJob, core: Core): Promise<{ readonly sha256: string }> {
  const driver = await loadDriver(job.format);
  const source = telling(await openSource(job.source), core);
  const info = await driver.describe(source, job.asked);
  await core.send({ kind: 'said', what: { kind: 'table', info } });
  let allowed = -1;
  const segments = driver.split(source, info);
  for (;;) {
    const { value, done } = await segments.next();
    if (done === true) return { sha256: value };
    if (value.index > allowed) {
      await core.send({ kind: 'said', what: { kind: 'waiting', index: value.index } });
      ({ upTo: allowed } = (await core.order()) as ReaderOrder);
    }
    await core.send({ kind: 'said', what: { kind: 'segment', segment: value } });
  }
}

const signOfLifeMs = 1000;

/** A long way to the next segment is no silence. */
function telling(source: TableSource, core: Core): TableSource {
  let told = performance.now();
  return {
    ...source,
    read(from, to, into) {
      if (performance.now() - told > signOfLifeMs) {
        told = performance.now();
        void core.send({
          kind: 'progress',
          stage: 'run',
          done: from,
          total: source.sizeBytes,
          rows: 0,
        });
      }
      return source.read(from, to, into);
    },
  };
}
