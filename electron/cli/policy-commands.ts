/** The rules of the vault. */
import { Option, type Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import { keptForEver, type PolicyState, type Retention } from '#shared/contract/policy.ts';
import { reasonOf, wholeNumber, type Runner } from './command.ts';

export function addPolicyCommands(program: Command, runner: Runner): void {
  const policy = program.command('policy').description('the rules of this vault');
  const show = (state: PolicyState): string =>
    [
      `Policy ${state.name}`,
      `A second person approves for production: ${state.secondPerson ? 'yes' : 'no'}`,
      `Unsigned or untrusted bundles: ${state.unsigned}`,
      `Signers of a bundle: ${state.signers.required} of ${state.signers.from.length === 0 ? 'the trust list' : state.signers.from.join(', ')}`,
      `Seals after ${state.idleMinutes} idle minutes`,
      `Models may be served on 127.0.0.1: ${state.serving ? 'yes' : 'no'}`,
      ...Object.entries(state.retention).map(
        ([kind, days]) => `Keeps ${kind}: ${days === null ? 'for ever' : `${days} days`}`,
      ),
    ].join('\n');
  policy
    .command('show')
    .description('show the policy')
    .action((_options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const state = await client.policy.show(null);
        output.result(state, show(state));
      }),
    );
  policy
    .command('set')
    .description('change the policy')
    .addOption(
      new Option('--second-person <yes|no>', 'promotion to production needs somebody else').choices(
        ['yes', 'no'],
      ),
    )
    .option(
      '--unsigned <refuse|override>',
      'what happens to bundles that nobody trusted has signed',
    )
    .option('--signers <n>', 'so many different trusted signers must have signed', wholeNumber)
    .option(
      '--signers-from <names>',
      'names or roles of the trust list that count, with commas between; empty is anybody',
    )
    .addOption(
      new Option(
        '--serving <yes|no>',
        'models may be served to other programs of this computer',
      ).choices(['yes', 'no']),
    )
    .option('--idle-minutes <n>', 'seal after so many minutes without work', wholeNumber)
    .option(
      '--retention <kind=days...>',
      `how long a kind of record is kept: ${Object.keys(keptForEver).join(', ')}; days or "never" to erase`,
    )
    .option('--reason <text>', 'why')
    .action(
      (
        options: {
          retention?: string[];
          secondPerson?: string;
          serving?: string;
          unsigned?: string;
          signers?: number;
          signersFrom?: string;
          idleMinutes?: number;
          reason?: string;
        },
        command: Command,
      ) =>
        runner.signedIn(command, async ({ client, output }) => {
          if (Object.keys(options).every((name) => name === 'reason'))
            throw new AppError('invalid-input', 'Say what to change: see policy set --help.');
          const { signers, retention } = await client.policy.show(null);
          const from = options.signersFrom?.split(',').map((name) => name.trim());
          const state = await client.policy.set({
            reason: reasonOf(options),
            ...(options.secondPerson === undefined
              ? {}
              : { secondPerson: options.secondPerson === 'yes' }),
            ...(options.unsigned === undefined ? {} : { unsigned: options.unsigned as 'refuse' }),
            ...(options.signers === undefined && from === undefined
              ? {}
              : {
                  signers: {
                    required: options.signers ?? signers.required,
                    from: from?.filter((name) => name !== '') ?? signers.from,
                  },
                }),
            ...(options.serving === undefined ? {} : { serving: options.serving === 'yes' }),
            ...(options.idleMinutes === undefined ? {} : { idleMinutes: options.idleMinutes }),
            ...(options.retention === undefined
              ? {}
              : {
                  retention: { ...retention, ...clocksOf(options.retention) },
                }),
          });
          output.result(state, show(state));
        }),
    );
}

/** `keptData=90`, `runRecords=never`; the contract says which kinds there are. */
function clocksOf(texts: readonly string[]): Partial<Retention> {
  return Object.fromEntries(
    texts.map((text) => {
      const [kind = '', days = ''] = text.split('=');
      return [kind, days === 'never' ? null : wholeNumber(days)];
    }),
  );
}
