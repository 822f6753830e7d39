/** Whose signatures on bundles count. */
import type { Command } from 'commander';
import { AppError } from '#shared/errors.ts';
import type { Runner } from './command.ts';
import { table } from './output.ts';

interface TrustOptions {
  readonly name: string;
  readonly role?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly reason?: string;
}

export function addTrustCommands(program: Command, runner: Runner): void {
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
