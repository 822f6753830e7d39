/** In a child without a model: the rows of an input as texts, each with the line of the predictions that is about it. */
import {
  loadDriver,
  rawRows,
  readRecord,
  type TableInfo,
  type TableSource,
} from '#domain/tables/index.ts';
import type { Core } from '../child.ts';
import type { JoinJob } from '../protocol.ts';
import type { JoinedRow } from './messages.ts';
import { openSource } from './source.ts';

/** As this program writes them. */
const ours = { delimiter: ',', quote: '"', encoding: 'utf-8', decimal: '.' } as const;
/** Of the texts that are told at once, about. */
const mostCharacters = 256 * 1024;

/** Gives the SHA-256 of both files, as they were read. */
export async function joinTable(
  job: JoinJob,
  core: Core,
): Promise<{ readonly inputSha256: string; readonly predictionsSha256: string }> {
  const [driver, csv] = await Promise.all([loadDriver(job.table.format), loadDriver('csv')]);
  const source = await openSource(job.source);
  const written = await openSource(job.predictions);
  const predictions = linesByRow(rawRows(csv, written, await ownTable(written)));
  const rows = rawRows(driver, source, job.table);
  let told: JoinedRow[] = [];
  let characters = 0;
  const tell = async (): Promise<void> => {
    if (told.length === 0) return;
    await core.send({ kind: 'said', what: { rows: told } });
    await core.order();
    told = [];
    characters = 0;
  };
  for (;;) {
    const { value, done } = await rows.next();
    if (done === true) {
      await tell();
      return { inputSha256: value, predictionsSha256: await predictions.end() };
    }
    for (const { row, fields, isBad } of value) {
      const found = await predictions.of(row);
      told.push({ row, input: [...fields], predictions: found, isBad });
      characters += lengthOf(fields) + lengthOf(found ?? []);
      if (characters > mostCharacters) await tell();
    }
  }
}

/** A file of ours is not held to the rules of headers: a column of the input can be called like one of the output. */
async function ownTable(source: TableSource): Promise<TableInfo> {
  for (let length = 2 ** 20; ; length *= 2) {
    const bytes = Buffer.from(await source.read(0, Math.min(source.sizeBytes, length)));
    const header = readRecord({ bytes, delimiter: 44, quote: 34 }, 0);
    if (bytes.length < source.sizeBytes && (header === undefined || header.end === bytes.length))
      continue;
    const columns = (header?.fields ?? []).map((name) => ({ name, type: 'text' as const }));
    return { format: 'csv', columns, dialect: ours, bodyFrom: header?.end ?? bytes.length };
  }
}

const lengthOf = (fields: readonly string[]): number =>
  fields.reduce((sum, field) => sum + field.length, 0);

/** Predictions begin with the number of their row, come in that order, and are not there for each row. */
function linesByRow(lines: ReturnType<typeof rawRows>): {
  of(row: number): Promise<string[] | null>;
  end(): Promise<string>;
} {
  let batch: readonly (readonly string[])[] = [];
  let at = 0;
  let sha256: string | undefined;
  const more = async (): Promise<boolean> => {
    if (sha256 !== undefined) return false;
    const { value, done } = await lines.next();
    if (done === true) sha256 = value;
    else batch = value.map(({ fields }) => fields);
    at = 0;
    return done !== true;
  };
  return {
    async of(row) {
      for (;;) {
        for (; at < batch.length; at += 1) {
          const line = batch[at] ?? [];
          const about = Number(line[0]);
          if (about > row) return null;
          if (about < row) continue;
          at += 1;
          return [...line];
        }
        if (!(await more())) return null;
      }
    },
    async end() {
      while (await more());
      return sha256 ?? '';
    },
  };
}
