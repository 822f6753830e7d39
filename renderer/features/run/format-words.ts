import type { Preview, RunResult } from '#shared/contract/runs.ts';

/** What people call the formats. */
export const formatWords: Readonly<Record<Preview['format'], { readonly input: string }>> = {
  csv: { input: 'CSV file' },
  parquet: { input: 'Parquet file' },
  jsonl: { input: 'JSON Lines file' },
  arrow: { input: 'Arrow file' },
  images: { input: 'folder of images' },
  texts: { input: 'folder of texts' },
};

export const outputWords: Readonly<Record<RunResult['outputFormat'], string>> = {
  csv: 'CSV',
  jsonl: 'JSON Lines',
  parquet: 'Parquet',
  arrow: 'Arrow',
};

export const tableEnding =
  /\.(csv|tsv|txt|parquet|pq|jsonl|ndjson|json|arrow|arrows|feather|ipc)$/i;
