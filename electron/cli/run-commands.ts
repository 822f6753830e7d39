/** Scoring and watching. */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { AppError, exitCodeByErrorCode } from '#shared/errors.ts';
import { contract } from '#shared/contract/index.ts';
import { dialect, outputFormat, tableFormat } from '#shared/contract/runs.ts';
import { plural } from '#platform/plural.ts';
import { timeOf, type Runner } from './command.ts';
import { table } from './output.ts';
import {
  finishedText,
  keptText,
  outOfRangeLines,
  resumedText,
  scoredNothing,
} from './run-words.ts';

export function addRunCommands(program: Command, runner: Runner): void {
  program
    .command('run <version>')
    .description(
      'score a file or folder in an isolated process; bad rows go to OUTPUT.rejects.csv, a signed receipt to OUTPUT.receipt.json',
    )
    .requiredOption(
      '--input <file>',
      'CSV with a header, Parquet, JSON Lines, Arrow, or a folder of images or texts; told from the content',
    )
    .requiredOption(
      '--output <file>',
      'new file; never overwrites. What it is follows from .parquet, .jsonl, .arrow; else CSV',
    )
    .addOption(new Option('--format <format>', 'of the output').choices(outputFormat.options))
    .addOption(
      new Option('--input-format <format>', 'of the input, where the content misleads').choices(
        tableFormat.options,
      ),
    )
    .option('--delimiter <character>', 'of a CSV, such as ; or tab')
    .option('--quote <character>', `of a CSV: " or ' or none`)
    .option('--encoding <name>', 'of a CSV: utf-8, utf-16le, utf-16be, latin1 or windows-1252')
    .addOption(
      new Option('--decimal <character>', 'of a CSV: what begins the decimals').choices(['.', ',']),
    )
    .option('--keep-columns', "put the input's columns between row number and predictions")
    .option('--reference', 'make this run the reference that later runs are compared with')
    .option('--keep', 'keep input and predictions, encrypted, with the run')
    .option(
      '--subject <column>',
      'with --keep: the column that tells whom a row is about, so that one person can be erased',
    )
    .option(
      '--resume',
      'go on with the interrupted run of this output; where there is none, begin and say so',
    )
    .action(
      (
        version: string,
        options: {
          input: string;
          output: string;
          keepColumns?: true;
          reference?: true;
          keep?: true;
          subject?: string;
          resume?: true;
        } & HowToRead,
        command: Command,
      ) =>
        runner.signedIn(command, async ({ connection, client, output }) => {
          if (/[\\/]$/.test(options.output))
            throw new AppError(
              'invalid-input',
              `--output: ${options.output} names a folder. Name the file in it that shall be written.`,
            );
          const input = {
            version,
            input: await connection.file(options.input),
            ...(await connection.target(options.output)),
            keepColumns: options.keepColumns === true,
            reference: options.reference === true,
            keep: options.keep === true,
            resume: options.resume === true,
            ...howToRead(options),
            ...(options.subject === undefined ? {} : { subject: options.subject }),
          };
          const result = await connection.wait(contract.runs.start, client.runs.start(input));
          output.result(result, finishedText(result, options.encoding));
          if (options.resume === true && result.resumedBy.length === 0)
            output.notice(
              'no interrupted run of this output was there to go on with, so this one began at the first row.',
            );
          return scoredNothing(result) ? exitCodeByErrorCode.corrupt : 0;
        }),
    );

  const runs = program
    .command('runs')
    .description('list the runs, show one, save its receipt, export what it kept');
  runs
    .command('list', { isDefault: true })
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
  runs
    .command('show <run>')
    .description('show one run, and what is kept of its data')
    .action((runId: string, _options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const shown = await client.runs.show({ runId });
        const { summary: run, result, kept } = shown;
        output.result(
          shown,
          [
            `Run ${run.runId} of ${run.model}@${run.version}: ${run.state}`,
            `Started ${run.startedAt} by ${run.actor}${resumedText(result)}, ${run.inputName}: ${plural(run.rows, 'row')}, ${run.rejected} rejected`,
            ...(result === null
              ? []
              : [`Input ${result.inputDigest}, output ${result.outputDigest}`]),
            ...(result === null ? [] : outOfRangeLines(result)),
            kept === null ? 'No data is kept.' : keptText(kept),
          ].join('\n'),
        );
      }),
    );
  runs
    .command('receipt <run>')
    .description('write the signed receipt of a run once more; `verify` checks it')
    .requiredOption('--out <file>', 'new file')
    .action((runId: string, options: { out: string }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const input = { runId, ...(await connection.target(options.out)) };
        const written = await client.runs.receipt(input);
        output.result(written, `${written.path}\n${written.digest}`);
      }),
    );
  runs
    .command('give-up <run>')
    .description('remove the unfinished output of an interrupted run, which cannot go on then')
    .option('--gone', 'its files are gone for good, so that there is nothing to remove')
    .action((runId: string, { gone = false }: { gone?: boolean }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const run = await client.runs.giveUp({ runId, gone });
        output.result(run, `The run ${run.runId} is given up; its unfinished output is gone.`);
      }),
    );
  runs
    .command('export <run>')
    .description('write the kept input and predictions of a run into a new folder, decrypted')
    .requiredOption('--out <dir>', 'new folder')
    .action((runId: string, options: { out: string }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const input = { runId, ...(await connection.target(options.out)) };
        const result = await connection.wait(contract.runs.export, client.runs.export(input));
        const erased =
          result.erasedRows === 0
            ? ''
            : `\n${result.erasedRows} rows are of people who were erased, and not in the files.`;
        output.result(result, `${plural(result.rows, 'row')} written to ${result.path}.${erased}`);
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

interface HowToRead {
  readonly format?: z.infer<typeof outputFormat>;
  readonly inputFormat?: z.infer<typeof tableFormat>;
  readonly delimiter?: string;
  readonly quote?: string;
  readonly encoding?: string;
  readonly decimal?: '.' | ',';
}

/** Other names by which people know them. */
const encodings: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf16: 'utf-16le',
  'utf-16': 'utf-16le',
  latin1: 'iso-8859-1',
  cp1252: 'windows-1252',
};

/** Throws `invalid-input` for what no table is written with. */
function howToRead({ format, inputFormat, delimiter, quote, encoding, decimal }: HowToRead) {
  const named = encoding?.toLowerCase();
  const asked = dialect.partial().safeParse({
    ...(delimiter === undefined
      ? {}
      : { delimiter: /^(tab|\\t)$/i.test(delimiter) ? '\t' : delimiter }),
    ...(quote === undefined ? {} : { quote: quote === 'none' ? null : quote }),
    ...(named === undefined ? {} : { encoding: encodings[named] ?? named }),
    ...(decimal === undefined ? {} : { decimal }),
  });
  if (!asked.success) {
    const what = String(asked.error.issues[0]?.path[0] ?? '');
    throw new AppError('invalid-input', `--${what}: not one that can be read; see --help.`);
  }
  return {
    ...(format === undefined ? {} : { outputFormat: format }),
    ...(inputFormat === undefined ? {} : { format: inputFormat }),
    dialect: asked.data,
  };
}
