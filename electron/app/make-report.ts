/** Makes a report from the log and writes it where it was asked for; the log keeps its digest. */
import { join } from 'node:path';
import type { contract } from '#shared/contract/index.ts';
import type { InputOf, ResultOf } from '#shared/rpc.ts';
import type { Clock } from '#platform/clock.ts';
import { makeProductionHistory } from '#domain/compliance/index.ts';
import type { CallContext } from './handler.ts';
import { writeNew } from './small-files.ts';

type Make = typeof contract.reports.make;

export async function makeReport(
  { open, note }: CallContext,
  { kind, folder, name, model, from, to }: InputOf<Make>,
  clock: Clock,
): Promise<ResultOf<Make>> {
  const { log, registry, session } = open();
  if (model !== undefined) registry.show(model);
  const now = clock();
  const path = join(folder, name);
  const { pdf, digest, entries, logSize } = await makeProductionHistory({
    log,
    filter: { model: model ?? null, from: from ?? null, to: to ?? null },
    now,
    actor: session.user,
    name,
  });
  await writeNew(path, pdf, 0o600);
  note({ objects: [{ type: 'report', id: kind, digest }], details: { name, entries, logSize } });
  const made = { kind, digest, name, entries, logSize, path };
  return { ...made, at: now.toISOString(), actor: session.user };
}
