/** The vault itself: making it, its state, the installation, and the way back in. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import { describePin } from './audit-commands.ts';
import { reasonOf, type CommandContext, type Runner } from './command.ts';
import {
  filesText,
  paperText,
  recoveryFiles,
  recoveryOf,
  splitOf,
  writeRecovery,
} from './recovery-files.ts';
import { readPassword, readSecret, userOf, vaultDirOf } from './settings.ts';

export function addVaultCommands(program: Command, runner: Runner): void {
  program
    .command('init')
    .description('create the vault and its first administrator (--user)')
    .option('--recovery-file <file>', 'write the recovery key there instead of showing it')
    .option(
      '--recovery-shares <split>',
      'hand the recovery key out in shares: 2of3 makes three, of which any two are needed',
    )
    .option('--profile <profile>', 'standard (Argon2id) or fips (PBKDF2)', 'standard')
    .option(
      '--policy <policy>',
      'standard (a second person approves for production) or solo',
      'standard',
    )
    .action((options: InitOptions, command: Command) =>
      runner.plain(command, (context) => init(context, options)),
    );

  program
    .command('status')
    .description('state of the vault, without signing in')
    .action((_options, command: Command) =>
      runner.plain(command, async ({ client, output }) => {
        const status = await client.vault.status(null);
        const text =
          status.state === 'absent'
            ? `No vault in ${status.path}`
            : `Vault ${status.vaultId} in ${status.path}\nProfile ${status.profile}, format ${status.formatVersion}\n${describePin(status.pin)}`;
        output.result(status, text);
      }),
    );

  program
    .command('doctor')
    .description('check the installation, the offline promise included')
    .action((_options, command: Command) =>
      runner.plain(command, async ({ client, output }) => {
        const report = await client.system.doctor(null);
        output.result(
          report,
          report.checks
            .map(({ name, ok, detail }) => `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(10)} ${detail}`)
            .join('\n'),
        );
        return report.ok ? 0 : 1;
      }),
    );

  program
    .command('recover')
    .description(
      'open the vault with the recovery key; whoever --user names is an administrator afterwards, with a new password',
    )
    .option(
      '--recovery-file <file>',
      'file that holds the recovery key; without it STRONGROOM_RECOVERY_KEY, or a prompt',
    )
    .option('--share <file...>', 'files that hold a share of the recovery key each')
    .option('--reason <text>', 'why')
    .addHelpText(
      'after',
      '\nThe recovery key has all rights: the name may be new, or that of somebody with a smaller role or disabled.\nThe log keeps who it was, the role before and the reason.',
    )
    .action((options: RecoverOptions, command: Command) =>
      runner.plain(command, async ({ client, output, options: global }) => {
        const { session } = await client.vault.recover({
          recoveryKey: await readRecovery(options),
          user: userOf(global),
          newPassword: await readPassword(global, 'new'),
          reason: reasonOf(options),
        });
        output.result(session, `${session.user} is an administrator with the new password.`);
      }),
    );
}

interface RecoverOptions {
  readonly recoveryFile?: string;
  readonly share?: string[];
  readonly reason?: string;
}

async function readRecovery(options: RecoverOptions): Promise<string> {
  const { recoveryFile, share = [] } = options;
  if (recoveryFile !== undefined && share.length > 0)
    throw new AppError('invalid-input', 'Give the recovery key or its shares, not both.');
  const read = (file: string | undefined, flag: string): Promise<string> =>
    readSecret({ file, variable: 'STRONGROOM_RECOVERY_KEY', prompt: 'Recovery key: ', flag });
  if (share.length === 0) return (await read(recoveryFile, '--recovery-file')).trim();
  const lines: string[] = [];
  for (const file of share) lines.push((await read(file, '--share')).trim());
  return lines.join('\n');
}

interface InitOptions {
  readonly recoveryFile?: string;
  readonly recoveryShares?: string;
  readonly profile: string;
  readonly policy: string;
}

async function init(
  { client, output, options: global }: CommandContext,
  options: InitOptions,
): Promise<void> {
  const split = options.recoveryShares === undefined ? undefined : splitOf(options.recoveryShares);
  const input = {
    user: userOf(global),
    password: await readPassword(global, 'new'),
    profile: options.profile as 'standard',
    policy: options.policy as 'standard',
    ...(split === undefined ? {} : { recoveryShares: split }),
  };
  const { recoveryFile } = options;
  if (recoveryFile === undefined) {
    const { vaultId, recoveryKey, session } = await client.vault.create(input);
    output.result(
      { vaultId, user: session.user, role: session.role, ...recoveryOf(recoveryKey) },
      `Vault ${vaultId} created for ${session.user}.\n\n${paperText(recoveryKey)}`,
    );
    return;
  }
  const files = recoveryFiles(recoveryFile, split);
  const { vaultId, session } = await writeRecovery(files, vaultDirOf(global), () =>
    client.vault.create(input),
  );
  output.result(
    {
      vaultId,
      user: session.user,
      role: session.role,
      ...(split === undefined ? { recoveryFile } : { recoveryFiles: files }),
    },
    `Vault ${vaultId} created for ${session.user}.\n${filesText(files)}`,
  );
}
