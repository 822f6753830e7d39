/** The keys of the vault. */
import type { Command } from 'commander';
import { purpose, type Purpose } from '#shared/contract/keys.ts';
import { reasonOf, type Runner } from './command.ts';
import {
  filesText,
  paperText,
  recoveryFiles,
  recoveryOf,
  splitOf,
  writeRecovery,
} from './recovery-files.ts';
import { vaultDirOf } from './settings.ts';

export function addKeyCommands(program: Command, runner: Runner): void {
  const keys = program.command('keys').description('the keys of the vault');
  keys
    .command('shares [split]')
    .description(
      'make a new recovery key, in shares such as 2of3, or whole without; the old one stops working',
    )
    .option(
      '--recovery-file <file>',
      'write it there (shares: <file>.1 and so on) instead of showing it',
    )
    .option('--reason <text>', 'why')
    .action(
      (
        text: string | undefined,
        options: { recoveryFile?: string; reason?: string },
        command: Command,
      ) =>
        runner.signedIn(command, async ({ client, output, options: global }) => {
          const split = text === undefined ? undefined : splitOf(text);
          const make = (): Promise<{ recoveryKey: string }> =>
            client.keys.recovery({ shares: split ?? null, reason: reasonOf(options) });
          const { recoveryFile } = options;
          if (recoveryFile === undefined) {
            const { recoveryKey } = await make();
            output.result(recoveryOf(recoveryKey), paperText(recoveryKey));
            return;
          }
          const files = recoveryFiles(recoveryFile, split);
          await writeRecovery(files, vaultDirOf(global), make);
          output.result({ recoveryFiles: files }, filesText(files));
        }),
    );
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
          [
            `New keys for ${result.rotated.join(', ')}. Copies of the vault made before today keep their old keys: destroy those that nobody needs.`,
            ...(result.rotated.includes('audit')
              ? [
                  `The log has a new signing key, and the old one vouches for it. Verifier key ${result.verifierKey}`,
                ]
              : []),
          ].join('\n'),
        );
      }),
    );
}
