/** What was tried, and what came of it: the rows that `npm run faults` prints. */

export interface Tally {
  /** Runs one try; what it throws is a wrong outcome, and no other end of the run. */
  attempt(fault: string, where: string, work: () => Promise<string>): Promise<void>;
  rows(): readonly Row[];
  /** What did not hold, each with what was tried. */
  wrong(): readonly string[];
}

export interface Row {
  readonly fault: string;
  readonly where: string;
  readonly tried: number;
  /** In words, with how often: `12 nothing of it, 3 all of it`. */
  readonly outcome: string;
}

export function createTally(onWrong: (wrong: string) => void = () => undefined): Tally {
  const counts = new Map<string, { fault: string; where: string; outcomes: Map<string, number> }>();
  const wrong: string[] = [];

  function count(fault: string, where: string, outcome: string): void {
    const key = `${fault}\n${where}`;
    const row = counts.get(key) ?? { fault, where, outcomes: new Map<string, number>() };
    row.outcomes.set(outcome, (row.outcomes.get(outcome) ?? 0) + 1);
    counts.set(key, row);
  }

  return {
    async attempt(fault, where, work) {
      try {
        count(fault, where, await work());
      } catch (error) {
        count(fault, where, 'WRONG');
        const said = `${fault}, ${where}: ${error instanceof Error ? error.message : 'thrown'}`;
        wrong.push(said);
        onWrong(said);
      }
    },
    rows: () =>
      [...counts.values()].map(({ fault, where, outcomes }) => ({
        fault,
        where,
        tried: [...outcomes.values()].reduce((sum, times) => sum + times, 0),
        outcome: [...outcomes]
          .toSorted(([a], [b]) => a.localeCompare(b))
          .map(([outcome, times]) => `${times} ${outcome}`)
          .join(', '),
      })),
    wrong: () => wrong,
  };
}

/** As a table of Markdown. */
export function rowsToText(rows: readonly Row[]): string {
  const cells = [
    ['Fault', 'Where', 'Tried', 'Outcome'],
    ...rows.map(({ fault, where, tried, outcome }) => [fault, where, String(tried), outcome]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  const line = (fields: readonly string[]): string =>
    `| ${fields.map((field, column) => field.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...body.map(line)].join('\n');
}
