/** The keys of the vault. */
import type { Command } from 'commander';
import { purpose, type Purpose } from '#shared/contract/keys.ts';
import { reasonOf, type Runner } from './command.ts';

export function addKeyCommands(program: Command, runner: Runner): void {
  const keys = program.command('keys').description('the keys of the vault');
  keys
    .command('rotate')
    .description('replace keys of the vault, so that older copies of vault.json no longer open it')
    .option('--purpose <purpose...>', `which keys: ${purpose.options.join(', ')}; all without it`)
    .option('--reason <text>', 'why')
    .action((options: { purpose?: string[]; reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const result = await client.keys.rotate({
          reason: reasonOf(options),
          ...(options.purpose === undefined ? {} : { purposes: options.purpose as Purpose[] }),
        });
        output.result(
          result,
          `New keys for ${result.rotated.join(', ')}. Copies of the vault made before today keep their old keys: destroy those that nobody needs.`,
        );
      }),
    );
}
