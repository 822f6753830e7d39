/** In the child: rows of the bundle's `reference.csv`, the same ones each time, as texts. */
import { createRandom } from '#domain/explain/index.ts';
import { openCsv } from '#platform/csv.ts';
import type { SealedFile } from '../protocol.ts';
import { openSealed } from '../sealed-file.ts';

/** Rows further behind are not looked at. */
const mostBytes = 64 * 2 ** 20;
const seed = 2026;

export interface ReferenceStart {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The header and the first good rows. */
export async function readStart(file: SealedFile, rows: number): Promise<ReferenceStart> {
  const table = await openCsv((await openSealed(file)).stream());
  const { value: first } = await table.records().next();
  const good = (first ?? []).filter(({ problem }) => problem === undefined);
  return { header: table.header, rows: good.slice(0, rows).map(({ fields }) => fields) };
}

/** Up to `most` rows, drawn from all (reservoir sampling, Vitter's algorithm R), in the order of the file. */
export async function drawRows(
  file: SealedFile,
  most: number,
): Promise<readonly (readonly string[])[]> {
  const table = await openCsv(upTo(mostBytes, (await openSealed(file)).stream()));
  const random = createRandom(seed);
  const drawn: { readonly row: number; readonly fields: readonly string[] }[] = [];
  let seen = 0;
  for await (const records of table.records()) {
    for (const { row, fields, problem } of records) {
      if (problem !== undefined) continue;
      seen += 1;
      const place = drawn.length < most ? drawn.length : random.below(seen);
      if (place < most) drawn[place] = { row, fields };
    }
  }
  return drawn.sort((a, b) => a.row - b.row).map(({ fields }) => fields);
}

async function* upTo(bytes: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}
