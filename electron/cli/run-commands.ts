/** Scoring and watching. */
import type { Command } from 'commander';
import { contract } from '#shared/contract/index.ts';
import { timeOf, type Runner } from './command.ts';
import { table } from './output.ts';

export function addRunCommands(program: Command, runner: Runner): void {
  program
    .command('run <version>')
    .description('score a CSV file in an isolated process; bad rows go to OUTPUT.rejects.csv')
    .requiredOption('--input <file>', 'CSV with a header')
    .requiredOption('--output <file>', 'new CSV; never overwrites')
    .option('--keep-columns', "put the input's columns between row number and predictions")
    .option('--reference', 'make this run the reference that later runs are compared with')
    .action(
      (
        version: string,
        options: { input: string; output: string; keepColumns?: true; reference?: true },
        command: Command,
      ) =>
        runner.signedIn(command, async ({ connection, client, output }) => {
          const input = {
            version,
            input: await connection.file(options.input),
            ...(await connection.target(options.output)),
            keepColumns: options.keepColumns === true,
            reference: options.reference === true,
          };
          const result = await connection.wait(contract.runs.start, client.runs.start(input));
          const rejected =
            result.rejectsPath === null
              ? ''
              : `\n${result.rejected} rows rejected: ${result.rejectsPath}`;
          output.result(
            result,
            `${result.rows} rows scored by ${result.model}@${result.version} in ${result.seconds.toFixed(1)} s: ${result.outputPath}${rejected}\nRun ${result.runId}, output ${result.outputDigest}`,
          );
        }),
    );

  program
    .command('runs')
    .description('list the runs, newest first')
    .option('--model <model>', 'of one model only')
    .action((options: { model?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const list = await client.runs.list(
          options.model === undefined ? {} : { model: options.model },
        );
        const rows = list.map((run) => [
          run.runId,
          run.startedAt,
          `${run.model}@${run.version}`,
          run.state,
          String(run.rows),
          String(run.rejected),
          run.actor,
          run.inputName,
        ]);
        output.result(
          { runs: list },
          table(
            ['Run', 'Started (UTC)', 'Version', 'State', 'Rows', 'Rejected', 'Who', 'File'],
            rows,
          ),
        );
      }),
    );

  program
    .command('monitor <version>')
    .description('compare the latest run with the reference, column by column')
    .option('--run <id>', 'another run than the latest')
    .option('--from <time>', 'only runs from then on', timeOf)
    .option('--to <time>', 'only runs before then', timeOf)
    .action(
      (version: string, options: { run?: string; from?: string; to?: string }, command: Command) =>
        runner.signedIn(command, async ({ client, output }) => {
          const view = await client.monitor.show({
            version,
            ...(options.run === undefined ? {} : { runId: options.run }),
            ...(options.from === undefined ? {} : { from: options.from }),
            ...(options.to === undefined ? {} : { to: options.to }),
          });
          const rows = view.columns.map((column) => [
            column.state,
            column.name,
            column.method,
            column.value.toFixed(3),
            column.threshold.toFixed(3),
            column.adjustedPValue === null ? '' : column.adjustedPValue.toPrecision(2),
            column.reason,
          ]);
          output.result(
            view,
            [
              `${view.model}@${view.version}: ${view.state}. ${view.summary}`,
              ...(rows.length === 0
                ? []
                : [
                    '',
                    table(
                      ['State', 'Column', 'Test', 'Effect', 'Threshold', 'p (adjusted)', 'What'],
                      rows,
                    ),
                  ]),
            ].join('\n'),
          );
        }),
    );
}
