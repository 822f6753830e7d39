/** The command line: every command, its options and its help. Exit codes are those of `shared/errors.ts`, and 1 for the answer "no". */
import { Command, CommanderError } from 'commander';
import packageFacts from '../../package.json' with { type: 'json' };
import { AppError } from '#shared/errors.ts';
import { addAuditCommands } from './audit-commands.ts';
import { addBindingCommands } from './binding-commands.ts';
import { addBundleCommands } from './bundle-commands.ts';
import { createRunner, usageExitCode } from './command.ts';
import { addCustodyCommands } from './custody-commands.ts';
import { addKeyCommands } from './key-commands.ts';
import { addErasureCommands } from './erasure-commands.ts';
import { addModelCommands } from './model-commands.ts';
import { addPolicyCommands } from './policy-commands.ts';
import { addRecordCommands } from './record-commands.ts';
import { addRunCommands } from './run-commands.ts';
import { addServeCommand } from './serve-command.ts';
import { addTrustCommands } from './trust-commands.ts';
import { addUserCommands } from './user-commands.ts';
import { addVaultCommands } from './vault-commands.ts';

const exitCodes = `
Exit codes:
  0 done                                   69 unsupported or unavailable
  1 the answer is no                       70 a bug
  64 usage or invalid input                73 conflict
  65 refused, corrupt, tampered, limit     74 I/O
  66 not found                             75 busy
  77 locked, wrong password or forbidden   130 cancelled

Environment: STRONGROOM_VAULT, STRONGROOM_PINS, STRONGROOM_USER, STRONGROOM_PASSWORD stand in for --vault, --pins, --user
and --password-file.
A version is NAME@3, NAME@production or NAME@sha256:…; a bare NAME means the version in production, else the newest that may run.`;

/** Resolves with the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const wantsJson = args.includes('--json');
  const runner = createRunner((code) => (exitCode = code));
  const program = new Command('strongroom')
    .description('Operate machine-learning models where there is no internet.')
    .version(packageFacts.version)
    .option('--vault <dir>', 'folder of the vault')
    .option('--pins <dir>', 'folder where the newest checkpoints are kept outside the vault')
    .option('--user <name>', 'who signs in')
    .option(
      '--password-file <file>',
      'file that holds the password; without it STRONGROOM_PASSWORD, or a prompt',
    )
    .option(
      '--json',
      'one JSON document on stdout (audit list: one per line); errors as JSON on stderr',
    )
    .addHelpText('after', exitCodes)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(wantsJson ? false : 'Run with --help to see how it is used.')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(
          wantsJson
            ? jsonError(text.replace(/^error: /, '').trim())
            : text.replace(/^error: /, 'strongroom: invalid-input: '),
        ),
    });
  addVaultCommands(program, runner);
  addUserCommands(program, runner);
  addTrustCommands(program, runner);
  addPolicyCommands(program, runner);
  addKeyCommands(program, runner);
  addBundleCommands(program, runner);
  addModelCommands(program, runner);
  addBindingCommands(program, runner);
  addRunCommands(program, runner);
  addServeCommand(program, runner);
  addRecordCommands(program, runner);
  addErasureCommands(program, runner);
  addAuditCommands(program, runner);
  addCustodyCommands(program, runner);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode;
    if (error instanceof AppError) {
      process.stderr.write(
        wantsJson ? jsonError(error.message) : `strongroom: ${error.code}: ${error.message}\n`,
      );
      return usageExitCode;
    }
    throw error;
  }
  return exitCode;
}

function jsonError(message: string): string {
  return `${JSON.stringify({ error: { code: 'invalid-input', message } })}\n`;
}
