/** In a child without a model: the first rows of a table, and how its columns would be bound. */
import { previewBinding } from '#domain/pipeline/index.ts';
import {
  loadDriver,
  rawNames,
  rejectMessages,
  type BadRow,
  type Chunk,
  type Segment,
  type TableDriver,
  type TableInfo,
  type TableSource,
  type WantedColumn,
} from '#domain/tables/index.ts';
import type { PreviewJob } from '../protocol.ts';
import { readAssets } from '../sealed-file.ts';
import type { TablePreview } from './messages.ts';
import { openSource } from './source.ts';

const shownRows = 20;
const shownCharacters = 200;

export async function previewTable(job: PreviewJob): Promise<TablePreview> {
  const driver = await loadDriver(job.format);
  const source = await openSource(job.source);
  const info = await driver.describe(source, job.asked);
  const bound = previewBinding({
    inputs: job.inputs,
    pipeline: job.pipeline ?? undefined,
    columns: info.columns,
    assets: await readAssets(job),
  });
  const names = rawNames(info);
  const chunk = await firstRows({ driver, source, info }, bound.wanted);
  const raw = chunk?.raw ?? [];
  const bad = chunk === undefined ? [] : await badRows(chunk, bound);
  const { binding, unusedColumns, problems } = bound.explain({
    example(column) {
      const field = raw[0]?.[names.indexOf(column)];
      return field === undefined ? null : shortened(field);
    },
    bad,
  });
  return {
    info,
    columns: names,
    rows: raw.map((fields) => fields.map(shortened)),
    rejects: bad.map(({ at, column, code }) => ({
      row: (chunk?.firstRow ?? 1) + at,
      column,
      code,
      message: rejectMessages[code],
    })),
    binding: [...binding],
    unusedColumns: [...unusedColumns],
    problems: [...problems],
  };
}

async function firstRows(
  table: { readonly driver: TableDriver; readonly source: TableSource; readonly info: TableInfo },
  wanted: readonly WantedColumn[],
): Promise<Chunk | undefined> {
  const { driver, source, info } = table;
  const segment = await firstSegment(driver.split(source, info));
  if (segment === undefined) return undefined;
  const reader = await driver.open(source, info, { wanted, rows: shownRows, raw: true });
  try {
    for await (const chunk of reader.read(segment)) return chunk;
    return undefined;
  } finally {
    await reader.close();
  }
}

async function firstSegment(
  segments: AsyncGenerator<Segment, string>,
): Promise<Segment | undefined> {
  for await (const segment of segments) return segment;
  return undefined;
}

/** Steps that need more than is here, such as a column that is not there, say nothing. */
async function badRows(chunk: Chunk, bound: ReturnType<typeof previewBinding>): Promise<BadRow[]> {
  const byStep = await bound.rejects(chunk).catch(() => []);
  return [...chunk.bad, ...byStep].toSorted((a, b) => a.at - b.at);
}

function shortened(text: string): string {
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
}
