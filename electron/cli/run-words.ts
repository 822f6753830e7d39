/** What is told of a run: how it ended, what is unusual in it, what is kept of it. */
import type { FinishedRun, KeptData, RunResult } from '#shared/contract/runs.ts';
import { plural } from '#platform/plural.ts';

export function finishedText(result: FinishedRun, encoding: string | undefined): string {
  const { rows, model, version, seconds, outputPath, rejectsPath, receiptPath, kept } = result;
  const isGuessed = encoding === undefined && result.dialect?.encoding === 'windows-1252';
  return [
    `${plural(rows, 'row')} scored by ${model}@${version} in ${seconds.toFixed(1)} s: ${outputPath}`,
    ...(rejectsPath === null ? [] : [`${plural(result.rejected, 'row')} rejected: ${rejectsPath}`]),
    ...(scoredNothing(result)
      ? [
          ...result.firstRejects
            .slice(0, 1)
            .map(
              ({ row, column, message }) =>
                `The first one is row ${row}${column === null ? '' : `, column ${column}`}: ${message}`,
            ),
          'No row could be scored. If the file is written otherwise than it was read, say how: --delimiter, --quote, --decimal, --encoding.',
        ]
      : []),
    ...outOfRangeLines(result),
    ...(isGuessed
      ? ['The file is not UTF-8 and was read as windows-1252, a guess; say --encoding to be sure.']
      : []),
    `Run ${result.runId}, output ${result.outputDigest}`,
    receiptPath === null
      ? `The receipt could not be written there; save it with: runs receipt ${result.runId} --out FILE`
      : `Receipt: ${receiptPath}`,
    ...(kept === null ? [] : [keptText(kept)]),
  ].join('\n');
}

/** A file of which every row was rejected gave no predictions, so a script shall not go on with it. */
export function scoredNothing({ rows, rejected }: RunResult): boolean {
  return rows === 0 && rejected > 0;
}

export function resumedText(result: RunResult | null): string {
  const resumedBy = result?.resumedBy ?? [];
  return resumedBy.length === 0 ? '' : `, resumed by ${resumedBy.join(', ')}`;
}

/** Values that were scored, and that the maker of the bundle does not expect. */
export function outOfRangeLines({ outOfRange }: Pick<RunResult, 'outOfRange'>): string[] {
  if (outOfRange.length === 0) return [];
  const shown = outOfRange
    .slice(0, 20)
    .map(({ column, rows }) => `${column} in ${plural(rows, 'row')}`);
  const more = outOfRange.length > 20 ? `, and ${outOfRange.length - 20} more columns` : '';
  return [`Scored outside of what the model states: ${shown.join(', ')}${more}.`];
}

export function keptText(kept: KeptData): string {
  if (kept.state === 'erased')
    return `What was kept is erased since ${kept.erasedAt ?? ''}; nobody can read it any more.`;
  const whose =
    kept.subject === null
      ? 'whole files'
      : `${plural(kept.rows, 'row')} of ${plural(kept.subjects ?? 0, 'person', 'people')}, by ${kept.subject}`;
  const erased = kept.erasedRows === 0 ? '' : `; ${plural(kept.erasedRows, 'row')} erased since`;
  const leftOut =
    kept.leftOut === 0
      ? ''
      : `; not kept, because they name nobody: ${plural(kept.leftOut, 'row')}`;
  return `Kept, encrypted, since ${kept.keptAt}: ${whose}${erased}${leftOut}.`;
}
