/** In the child: rows of the bundle's `reference.csv`, the same ones each time, as texts. */
import { createRandom } from '#domain/explain/index.ts';
import { loadDriver, rawNames, rawRows, type RawRow } from '#domain/tables/index.ts';
import { openSource } from '../batch/source.ts';
import type { SealedFile } from '../protocol.ts';

/** Rows further behind are not looked at. */
const mostBytes = 64 * 2 ** 20;
const seed = 2026;

export interface ReferenceStart {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The header and the first good rows. */
export async function readStart(file: SealedFile, most: number): Promise<ReferenceStart> {
  const { header, rows } = await openReference(file);
  for await (const batch of rows) {
    const good = batch.filter(({ isBad }) => !isBad);
    return { header, rows: good.slice(0, most).map(({ fields }) => fields) };
  }
  return { header, rows: [] };
}

/** Up to `most` rows, drawn from all (reservoir sampling, Vitter's algorithm R), in the order of the file. */
export async function drawRows(
  file: SealedFile,
  most: number,
): Promise<readonly (readonly string[])[]> {
  const { rows } = await openReference(file);
  const random = createRandom(seed);
  const drawn: RawRow[] = [];
  let seen = 0;
  let characters = 0;
  for await (const batch of rows) {
    for (const each of batch) {
      for (const field of each.fields) characters += field.length + 1;
      if (each.isBad) continue;
      seen += 1;
      const place = drawn.length < most ? drawn.length : random.below(seen);
      if (place < most) drawn[place] = each;
    }
    if (characters > mostBytes) break;
  }
  return drawn.sort((a, b) => a.row - b.row).map(({ fields }) => fields);
}

async function openReference(file: SealedFile): Promise<{
  readonly header: readonly string[];
  readonly rows: ReturnType<typeof rawRows>;
}> {
  const [driver, source] = await Promise.all([
    loadDriver('csv'),
    openSource({ kind: 'sealed', file }),
  ]);
  const info = await driver.describe(source, {});
  return { header: rawNames(info), rows: rawRows(driver, source, info) };
}
