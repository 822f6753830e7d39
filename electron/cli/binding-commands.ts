/** Which columns of a file feed which inputs of a version. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import type { ShownBinding } from '#shared/contract/bindings.ts';
import { shortDigest } from '#shared/words.ts';
import type { Runner } from './command.ts';
import { table } from './output.ts';

export function addBindingCommands(program: Command, runner: Runner): void {
  const binding = program
    .command('binding')
    .description('which columns of a file feed which inputs of a version');
  binding
    .command('show <version>')
    .description('what says it: the bundle, what was saved, or each file anew')
    .action((version: string, _options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const shown = await client.bindings.show({ version });
        output.result(shown, shownText(shown));
      }),
    );
  binding
    .command('save <version>')
    .description('save what a file shows with the version: later runs need these columns')
    .requiredOption('--input <file>', 'file with the columns that the model is to be fed with')
    .option(
      '--bind <input=column,column…>',
      'columns of an input, in order, where the names do not say it; may be given more than once',
      (value: string, before: string[]) => [...before, value],
      [] as string[],
    )
    .action((version: string, options: { input: string; bind: string[] }, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const saved = await client.bindings.save({
          version,
          input: await connection.file(options.input),
          ...(options.bind.length === 0
            ? {}
            : { inputs: Object.fromEntries(options.bind.map(parseBind)) }),
        });
        output.result(
          saved,
          `The binding of ${saved.model}@${saved.version} is saved (${shortDigest(saved.digest)}).\n${inputsTable(saved.inputs)}`,
        );
      }),
    );
}

function parseBind(text: string): [string, string[]] {
  const at = text.indexOf('=');
  if (at < 1)
    throw new AppError(
      'invalid-input',
      '--bind takes the form INPUT=COLUMN or INPUT=COLUMN,COLUMN.',
    );
  return [text.slice(0, at), text.slice(at + 1).split(',')];
}

function shownText(shown: ShownBinding): string {
  const name = `${shown.model}@${shown.version}`;
  if (shown.source === 'none')
    return `Nothing is saved for ${name}: its columns are told from each file. Save them with: binding save ${name} --input FILE`;
  const who =
    shown.source === 'bundle'
      ? 'its bundle says it (pipeline.json)'
      : `saved by ${shown.savedBy ?? ''} at ${shown.savedAt ?? ''}`;
  const steps = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`Steps ${what} the model: ${names.join(', ')}`];
  return [
    `${name}: ${who}, ${shortDigest(shown.digest ?? '')}`,
    ...steps('before', shown.steps),
    ...steps('behind', shown.outputSteps),
    inputsTable(shown.inputs),
  ].join('\n');
}

function inputsTable(inputs: ShownBinding['inputs']): string {
  return table(
    ['Input', 'Columns'],
    inputs.map(({ input, columns }) => [input, columns.join(', ')]),
  );
}
