/** Vault, users, trust, policy. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import { keptForEver, type PolicyState, type Retention } from '#shared/contract/policy.ts';
import { role } from '#shared/roles.ts';
import { describePin } from './audit-commands.ts';
import { reasonOf, wholeNumber, type CommandContext, type Runner } from './command.ts';
import { table } from './output.ts';
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
    .description('set a new password for an administrator (--user) with the recovery key')
    .option(
      '--recovery-file <file>',
      'file that holds the recovery key; without it STRONGROOM_RECOVERY_KEY, or a prompt',
    )
    .option('--share <file...>', 'files that hold a share of the recovery key each')
    .option('--reason <text>', 'why')
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

  addUsers(program, runner);
  addTrust(program, runner);
  addPolicy(program, runner);
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

/** Taking keys away is only as good as the absence of older copies. */
const rotateHint =
  'An older copy of vault.json still opens with the old password; "keys rotate" makes it useless for what is stored now.';

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

function addUsers(program: Command, runner: Runner): void {
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
    .description('set a password: your own, or as administrator that of anybody')
    .option(...newPasswordOption)
    .action((name: string | undefined, options: { newPasswordFile?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output, options: global }) => {
        const of = name ?? userOf(global);
        await client.users.password({
          name: of,
          password: await newPassword(options.newPasswordFile),
        });
        output.result({ name: of }, `The password of ${of} is changed.`);
      }),
    );
}

interface TrustOptions {
  readonly name: string;
  readonly role?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly reason?: string;
}

function addTrust(program: Command, runner: Runner): void {
  const trust = program
    .command('trust')
    .description('keys and certificates whose bundle signatures count');
  trust
    .command('list')
    .description('list the trusted keys')
    .action((_options, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const keys = await client.trust.list(null);
        output.result(
          { keys },
          table(
            ['Name', 'Kind', 'Role', 'Algorithm', 'Key id', 'Expires'],
            keys.map((key) => [
              key.name,
              key.kind,
              key.role ?? '',
              key.algorithm,
              key.keyId,
              key.expiresAt ?? '',
            ]),
          ),
        );
      }),
    );
  trust
    .command('add <file>')
    .description('trust a public key, a certificate, or a Sigstore trusted root for one signer')
    .requiredOption('--name <name>', 'whose it is')
    .option('--role <label>', 'what the policy of signers calls it, such as maker or validator')
    .option('--identity <subject>', 'with a Sigstore root: mail address or URI of the signer')
    .option('--issuer <url>', 'with a Sigstore root: who vouches for the signer')
    .option('--reason <text>', 'how it was checked')
    .action((file: string, options: TrustOptions, command: Command) =>
      runner.signedIn(command, async ({ connection, client, output }) => {
        const { name, role: label, identity, issuer, reason } = options;
        if ((identity === undefined) !== (issuer === undefined))
          throw new AppError('invalid-input', 'Give --identity and --issuer together.');
        const added = await client.trust.add({
          name,
          file: await connection.file(file),
          ...(label === undefined ? {} : { role: label }),
          ...(identity === undefined || issuer === undefined
            ? {}
            : { identity: { subject: identity, issuer } }),
          ...(reason === undefined ? {} : { reason }),
        });
        output.result(
          added,
          `${added.name} is trusted (${added.algorithm}, key id ${added.keyId}).`,
        );
      }),
    );
  trust
    .command('remove <key>')
    .description('stop trusting a key, named by its id or name')
    .option('--reason <text>', 'why')
    .action((key: string, options: { reason?: string }, command: Command) =>
      runner.signedIn(command, async ({ client, output }) => {
        const removed = await client.trust.remove({
          keyId: key,
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        });
        output.result(removed, `${removed.name} is no longer trusted.`);
      }),
    );
}

function addPolicy(program: Command, runner: Runner): void {
  const policy = program.command('policy').description('the rules of this vault');
  const show = (state: PolicyState): string =>
    [
      `Policy ${state.name}`,
      `A second person approves for production: ${state.secondPerson ? 'yes' : 'no'}`,
      `Unsigned or untrusted bundles: ${state.unsigned}`,
      `Signers of a bundle: ${state.signers.required} of ${state.signers.from.length === 0 ? 'the trust list' : state.signers.from.join(', ')}`,
      `Seals after ${state.idleMinutes} idle minutes`,
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
    .option('--second-person <yes|no>', 'promotion to production needs somebody else')
    .option(
      '--unsigned <refuse|override>',
      'what happens to bundles that nobody trusted has signed',
    )
    .option('--signers <n>', 'so many different trusted signers must have signed', wholeNumber)
    .option(
      '--signers-from <names>',
      'names or roles of the trust list that count, with commas between; empty is anybody',
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
