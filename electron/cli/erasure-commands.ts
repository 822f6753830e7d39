/** Erasure and what the clocks of the policy say. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import type { EraseResult } from '#shared/contract/erasure.ts';
import { reasonOf, type CommandContext, type Runner } from './command.ts';
import { table } from './output.ts';
import { readSecret } from './settings.ts';

interface IdOptions {
  readonly idFile?: string;
}

const idFileOption = [
  '--id-file <file>',
  'file that holds the id; without it and the argument STRONGROOM_SUBJECT, or a prompt',
] as const;
const aboutIds = `
An id on the command line stays in the history of the shell, and others on the machine can see it while the command
runs. From a file, the environment or the prompt it goes into the vault's answer only.`;

function readId(
  id: string | undefined,
  { idFile, repeat }: IdOptions & { readonly repeat?: true },
): string | Promise<string> {
  if (id !== undefined && idFile !== undefined)
    throw new AppError('invalid-input', 'Give the id or --id-file, not both. Nothing was done.');
  if (id !== undefined) return id;
  return readSecret({
    file: idFile,
    variable: 'STRONGROOM_SUBJECT',
    prompt: 'Id of the person: ',
    flag: '--id-file',
    ...(repeat === undefined ? {} : { repeat }),
  });
}

export function addErasureCommands(program: Command, runner: Runner): void {
  const erase = program
    .command('erase')
    .description('destroy keys, so that what they opened can never be read again');

  const act = (
    name: string,
    description: string,
    work: (
      client: CommandContext['client'],
      input: { id: string; reason: string },
    ) => Promise<EraseResult>,
  ): void => {
    erase
      .command(name)
      .description(description)
      .option('--reason <text>', 'why; stands in the log for ever')
      .action((id: string, options: { reason?: string }, command: Command) =>
        runner.signedIn(command, async ({ client, output }) => {
          const result = await work(client, { id, reason: reasonOf(options) });
          output.result(result, eraseText(result));
        }),
      );
  };
  act(
    'version <version>',
    'the files of a version that is not in production; its row, approvals and log entries stay',
    (client, { id, reason }) => client.erasure.version({ version: id, reason }),
  );
  act('data <run>', 'the input and predictions that a run has kept', (client, { id, reason }) =>
    client.erasure.data({ runId: id, reason }),
  );
  erase
    .command('subject [id]')
    .description(
      'one person in the data that all runs have kept; the id goes into no table and no log entry',
    )
    .option(...idFileOption)
    .option('--reason <text>', 'why; stands in the log for ever, and must not name the person')
    .addHelpText('after', aboutIds)
    .action((id: string | undefined, options: IdOptions & { reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        // Typed unseen, so typed twice: what is erased does not come back.
        const subject = await readId(id, { ...options, repeat: true });
        const result = await client.erasure.subject({ subject, reason: reasonOf(options) });
        output.result(result, eraseText(result));
      }),
    );
  erase
    .command('due')
    .description('what the policy of retention says is due: shows it, and erases it with --yes')
    .option('--yes', 'erase it')
    .option('--reason <text>', 'why; stands in the log for ever')
    .action((options: { yes?: true; reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        if (options.yes !== true) return showDue(client, output);
        const result = await client.erasure.due({ reason: reasonOf(options) });
        output.result(result, eraseText(result));
      }),
    );

  program
    .command('subject')
    .description('what is kept on one person')
    .command('show [id]')
    .description(
      'the runs that keep rows of the person, and how many; the log says that it was asked',
    )
    .option(...idFileOption)
    .addHelpText('after', aboutIds)
    .action((id: string | undefined, options: IdOptions, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const subject = await readId(id, options);
        const shown = await client.erasure.showSubject({ subject });
        output.result(
          shown,
          table(
            ['Run', 'Version', 'Kept (UTC)', 'Rows'],
            shown.runs.map((run) => [
              run.runId,
              `${run.model}@${run.version}`,
              run.keptAt,
              String(run.rows),
            ]),
          ),
        );
      }),
    );
}

async function showDue(
  client: CommandContext['client'],
  output: CommandContext['output'],
): Promise<void> {
  const overview = await client.erasure.overview(null);
  const words = {
    keptData: 'kept data',
    runRecords: 'run record',
    retiredVersions: 'retired version',
    rejectedVersions: 'rejected version',
  };
  const clocks = Object.entries(overview.retention).map(
    ([kind, days]) =>
      `${words[kind as keyof typeof words]}: ${days === null ? 'for ever' : `${days} days`}`,
  );
  output.result(
    overview,
    [
      clocks.join('; '),
      overview.due.length === 0
        ? 'Nothing is due.'
        : table(
            ['Kind', 'What', 'Since (UTC)', 'Due (UTC)'],
            overview.due.map((item) => [words[item.kind], item.id, item.since, item.dueAt]),
          ),
    ].join('\n'),
  );
}

function eraseText(result: EraseResult): string {
  const { receipt, backups } = result;
  return [
    result.message,
    ...(result.complete
      ? []
      : ['What the keys leave could not be cleared up yet; the next sign-in does it.']),
    ...(result.remaining === 0 ? [] : [`${result.remaining} more are due: run it again.`]),
    ...(backups.length === 0
      ? []
      : [
          'Older backups still hold the keys and are to be destroyed by who keeps them:',
          ...backups.map(({ name, at, place }) => `  ${name}, ${at}, ${place}`),
        ]),
    ...(receipt === null
      ? []
      : [
          `Receipt for the person, kept nowhere in the vault: log entry ${receipt.logIndex}, salt ${receipt.salt}, SHA-256(salt + id) = ${receipt.commitment}`,
        ]),
  ].join('\n');
}
