import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  batchJournal,
  createInference,
  partPathsOf,
  type BatchJournal,
} from '#domain/inference/index.ts';
import { batchRows } from '../../../../electron/domain/inference/batch/score-table.ts';
import { modelFiles } from '../../../support/inference.ts';
import { bytesOf, columnsModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const runId = '0123456789abcdef';

/** Four segments of the smallest size, with rejects of several kinds among the rows. */
function table(rows: number): string {
  const lines = Array.from({ length: rows }, (_, at) => {
    if (at % 997 === 3) return `"red",x${at},1,1,yes,`;
    if (at % 1499 === 4) return 'red,1';
    const color = ['red', 'green', 'blue, or so'][at % 3] ?? '';
    const text = at % 50 === 0 ? '"a\nb ""c"""' : 'note';
    return `"${color}",${(at * 7919) % 1013},${((at * 104_729) % 10_007) / 100},${at},${at % 2 === 0},${text}`;
  });
  return `color,age,weight,count,active,note\n${lines.join('\n')}\n`;
}

interface Place {
  readonly dir: string;
  readonly inputPath: string;
  readonly outputPath: string;
}

function place(content: string): Place {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'in.csv'), content);
  return { dir, inputPath: join(dir, 'in.csv'), outputPath: join(dir, 'out.csv') };
}

const outputs = ({ outputPath }: Place): readonly string[] => [
  readFileSync(outputPath, 'utf8'),
  readFileSync(`${outputPath}.rejects.csv`, 'utf8'),
];

interface Checkpoint {
  readonly journal: BatchJournal;
  /** What lay beside the output then. */
  readonly parts: readonly string[];
}

const content = table(30_000);

async function score(
  at: Place,
  options: {
    readonly children?: number;
    readonly journal?: BatchJournal;
    readonly onCheckpoint?: (journal: BatchJournal) => void;
  } = {},
) {
  const { children, ...rest } = options;
  const batch = { checkpointMs: 0, ...(children === undefined ? {} : { children }) };
  const { rows, rejected, profile, outputSha256, inputSha256, firstRows, firstRejects } =
    await createInference({ batch }).score({
      ...(await modelFiles(bytesOf(columnsModel()))),
      ...at,
      ...rest,
      pipeline: undefined,
      keepColumns: true,
      runId,
    });
  return { rows, rejected, profile, outputSha256, inputSha256, firstRows, firstRejects };
}

async function scoreWhole() {
  const at = place(content);
  const checkpoints: Checkpoint[] = [];
  const result = await score(at, {
    children: 1,
    onCheckpoint(journal) {
      const parts = partPathsOf(at.outputPath, runId).map((path) => readFileSync(path, 'utf8'));
      checkpoints.push({ journal: batchJournal.parse(JSON.parse(JSON.stringify(journal))), parts });
    },
  });
  expect(readdirSync(at.dir).toSorted()).toEqual(['in.csv', 'out.csv', 'out.csv.rejects.csv']);
  return { result, checkpoints, outputs: outputs(at) };
}

/** By one child, from beginning to end; what the tests compare with. */
let whole: Promise<Awaited<ReturnType<typeof scoreWhole>>> | undefined;

function restore(at: Place, { parts }: Checkpoint, more: string): void {
  for (const [part, path] of partPathsOf(at.outputPath, runId).entries())
    writeFileSync(path, (parts[part] ?? '') + more);
}

describe('a batch', () => {
  test('has every row once, in order', async () => {
    const { result, outputs: written, checkpoints } = await (whole ??= scoreWhole());
    const rejected = written[1]?.trimEnd().split('\n').slice(1) ?? [];
    expect(rejected.length).toBe(result.rejected);
    expect(result.rows + result.rejected).toBe(30_000);
    const numbers = [...(written[0] ?? '').matchAll(/^(\d+),/gm)].map(([, row]) => Number(row));
    expect(numbers.length).toBe(result.rows);
    const all = new Set([...numbers, ...rejected.map((line) => Number.parseInt(line, 10))]);
    expect(all.size).toBe(30_000);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(checkpoints.length).toBeGreaterThanOrEqual(3);
  });

  test('is the same whoever scores it, profile included', async () => {
    const { result, outputs: written } = await (whole ??= scoreWhole());
    const at = place(content);
    expect(await score(at, { children: 3 })).toEqual(result);
    expect(outputs(at)).toEqual(written);
  });

  test('has the quantiles of all of a small file in its profile, in however many parts it was read', async () => {
    let state = 1;
    const ages = Array.from({ length: 8000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 8) % 100_000;
    });
    const note = 'n'.repeat(40);
    const lines = ages.map((age) => `red,${age},1,1,true,${note}`);
    const at = place(`color,age,weight,count,active,note\n${lines.join('\n')}\n`);
    const { profile } = await score(at);
    const column = profile.columns.find(({ name }) => name === 'age');
    if (column?.kind !== 'numeric') throw new Error('The column has a profile.');
    const sorted = ages.toSorted((a, b) => a - b);
    for (const [point, value] of column.quantiles.entries()) {
      const share = sorted.filter((age) => age <= value).length / sorted.length;
      expect(Math.abs(share - point / (column.quantiles.length - 1))).toBeLessThan(0.006);
    }
  });

  test('goes on after a kill where it was, and ends the same', async () => {
    const { result, outputs: written, checkpoints } = await (whole ??= scoreWhole());
    for (const checkpoint of checkpoints.slice(0, 3)) {
      const at = place(content);
      restore(at, checkpoint, 'what was written since then');
      expect(await score(at, { journal: checkpoint.journal, children: 2 })).toEqual(result);
      expect(outputs(at)).toEqual(written);
    }
  });

  test('does not go on with another input, nor with an output that was touched; what is there stays', async () => {
    const { checkpoints } = await (whole ??= scoreWhole());
    const [, checkpoint] = checkpoints;
    if (checkpoint === undefined) throw new Error('There were checkpoints.');
    const { journal } = checkpoint;
    const changedByte = content.replace('"red",x3,1', '"red",y3,1');
    expect(changedByte).not.toBe(content);
    for (const other of [changedByte, content.replace('color', 'colour'), `${content}\n`]) {
      const at = place(other);
      restore(at, checkpoint, '');
      await expect(score(at, { journal })).rejects.toMatchObject({ code: 'conflict' });
      expect(partPathsOf(at.outputPath, runId).every((path) => existsSync(path))).toBe(true);
      expect(existsSync(at.outputPath)).toBe(false);
    }
    const divided = place(content);
    restore(divided, checkpoint, '');
    const elsewhere = { ...journal, rows: journal.rows - 1 };
    await expect(score(divided, { journal: elsewhere })).rejects.toMatchObject({
      code: 'conflict',
    });
    const touched = place(content);
    restore(touched, checkpoint, '');
    const [part] = partPathsOf(touched.outputPath, runId);
    writeFileSync(part, readFileSync(part, 'utf8').replace('red', 'rad'));
    await expect(score(touched, { journal })).rejects.toMatchObject({ code: 'conflict' });
    const gone = place(content);
    await expect(score(gone, { journal })).rejects.toMatchObject({ code: 'conflict' });
    expect(readdirSync(gone.dir)).toEqual(['in.csv']);
  });
});

test('a batch has fewer rows the more weights pass their results on, and never none', () => {
  const rows = (
    width: number,
    parameters: number,
    modelBytes: number,
    type: 'float' | 'int64' = 'float',
  ): number =>
    batchRows({
      inputs: [{ name: 'x', kind: 'tensor', type, shape: ['N', width] }],
      parameters,
      modelBytes,
    });
  expect(rows(30, 4000, 17_000)).toBe(4096);
  // Trees, as many bytes as the transformer behind them.
  expect(rows(30, 0, 700_000)).toBe(4096);
  expect(rows(32, 150_000, 700_000)).toBe(256);
  expect(rows(32, 150_000, 700_000, 'int64')).toBe(64);
  // A column of numbers is no text.
  expect(rows(1, 150_000, 700_000, 'int64')).toBe(4096);
  // Weights in a file of their own.
  expect(rows(30, 2 ** 28, 1000)).toBe(16);
  expect(rows(2 ** 25, 0, 1000)).toBe(1);
});
