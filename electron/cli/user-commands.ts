/** People, their roles and passwords. */
import type { Command } from 'commander';
import { role } from '#shared/roles.ts';
import { reasonOf, type Runner } from './command.ts';
import { table } from './output.ts';
import { readSecret, userOf } from './settings.ts';

/** Taking keys away is only as good as the absence of older copies. */
const rotateHint =
  'An older copy of vault.json still opens with the old password; "keys rotate" makes it useless for what is stored now.';

export function addUserCommands(program: Command, runner: Runner): void {
  const users = program.command('users').description('people and their roles');
  const newPasswordOption = [
    '--new-password-file <file>',
    'file that holds the new password; without it STRONGROOM_NEW_PASSWORD, or a prompt',
  ] as const;
  users
    .command('list')
    .description('list the users')
    .action((_options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const list = await client.users.list(null);
        output.result(
          { users: list },
          table(['Name', 'Role', 'State', 'Last sign-in'], list.map(userRow)),
        );
      }),
    );
  users
    .command('add <name>')
    .description('add a user')
    .requiredOption('--role <role>', role.options.join(', '))
    .option(...newPasswordOption)
    .action((name: string, options: { role: string; newPasswordFile?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const added = await client.users.add({
          name,
          role: options.role as 'analyst',
          password: await newPassword(options.newPasswordFile),
        });
        output.result(added, `${added.name} is ${added.role}.`);
      }),
    );
  users
    .command('disable <name>')
    .description('remove the key slot of a user')
    .option('--reason <text>', 'why')
    .action((name: string, options: { reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const user = await client.users.disable({ name, reason: reasonOf(options) });
        output.result(user, `${user.name} can no longer open the vault. ${rotateHint}`);
      }),
    );
  users
    .command('enable <name>')
    .description('give a disabled user a new key slot and password')
    .option(...newPasswordOption)
    .option('--reason <text>', 'why')
    .action(
      (name: string, options: { reason?: string; newPasswordFile?: string }, command: Command) =>
        runner.signedIn(command, async ({ client, output }) => {
          const user = await client.users.enable({
            name,
            password: await newPassword(options.newPasswordFile),
            reason: reasonOf(options),
          });
          output.result(user, `${user.name} is active again.`);
        }),
    );
  users
    .command('role <name> <role>')
    .description('change the role of a user, and with it the keys that their slot holds')
    .option('--reason <text>', 'why')
    .action((name: string, to: string, options: { reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const user = await client.users.role({
          name,
          role: to as 'analyst',
          reason: reasonOf(options),
        });
        const hint = user.role === 'auditor' ? ` ${rotateHint}` : '';
        output.result(user, `${user.name} is ${user.role} now.${hint}`);
      }),
    );
  users
    .command('password [name]')
    .description(
      'set a password: your own, or as administrator that of anybody; your present one is what you sign in with here',
    )
    .option(...newPasswordOption)
    .action((name: string | undefined, options: { newPasswordFile?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output, options: global }, present) => {
        const of = name ?? userOf(global);
        await client.users.password({
          name: of,
          password: await newPassword(options.newPasswordFile),
          present,
        });
        output.result({ name: of }, `The password of ${of} is changed. ${rotateHint}`);
      }),
    );
}

const userRow = (user: {
  name: string;
  role: string;
  state: string;
  lastSignIn: string | null;
}): string[] => [user.name, user.role, user.state, user.lastSignIn ?? 'never'];

function newPassword(file: string | undefined): Promise<string> {
  return readSecret({
    file,
    variable: 'STRONGROOM_NEW_PASSWORD',
    prompt: 'New password: ',
    flag: '--new-password-file',
    repeat: true,
  });
}
