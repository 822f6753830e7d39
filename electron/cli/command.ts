/** What every command shares: global options, a connection that is closed again, one place that turns errors into exit codes. */
import type { Command } from 'commander';
import { AppError, exitCodeByErrorCode } from '#shared/errors.ts';
import { errorToBody } from '../app/error-envelope.ts';
import { connect, type Connection } from './connection.ts';
import { createOutput, type Output } from './output.ts';
import type { GlobalOptions } from './settings.ts';

export interface CommandContext {
  readonly connection: Connection;
  readonly client: Connection['client'];
  readonly output: Output;
  readonly options: GlobalOptions;
}

/** The answer "no" of a question: `verify` found damage, `inspect` would refuse. */
export const answerNo = 1;

type Work = (context: CommandContext) => Promise<number | void>;
type SignedInWork = (context: CommandContext, password: string) => Promise<number | void>;

export interface Runner {
  /** For commands that need nobody signed in. */
  plain(command: Command, work: Work): Promise<void>;
  /** Signs in first. */
  signedIn(command: Command, work: SignedInWork): Promise<void>;
}

export function createRunner(finish: (exitCode: number) => void): Runner {
  async function run(command: Command, work: Work): Promise<void> {
    const options = command.optsWithGlobals<GlobalOptions>();
    const output = createOutput(options.json === true ? 'json' : 'text');
    const connection = connect(options, output);
    try {
      finish((await work({ connection, client: connection.client, output, options })) ?? 0);
    } catch (error) {
      finish(output.error(errorToBody(error)));
    } finally {
      await connection.close();
    }
  }
  return {
    plain: run,
    signedIn: (command, work) =>
      run(command, async (context) => {
        const password = await context.connection.signIn();
        const exitCode = await work(context, password);
        // What reads an older copy succeeds, and a report of it must not pass for one of today.
        const { rolledBack } = await context.client.vault.status(null);
        if (rolledBack !== null) context.output.notice(rolledBack.message);
        return exitCode;
      }),
  };
}

/** Reasons are asked for everywhere and may be left out on the command line; the log then says so. */
export function reasonOf(options: { readonly reason?: string }): string {
  return options.reason ?? 'none given';
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new AppError('invalid-input', `"${text.slice(0, 40)}" is not a whole number.`);
  return Number(text);
}

/** RFC 3339, or a plain date that means its first moment in UTC. */
export function timeOf(text: string): string {
  const time = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(time.getTime()))
    throw new AppError(
      'invalid-input',
      `"${text.slice(0, 40)}" is not a date or time such as 2031-05-01 or 2031-05-01T14:00:00Z.`,
    );
  return time.toISOString();
}

export const usageExitCode = exitCodeByErrorCode['invalid-input'];
