/** Global options and where their values come from. A password is never an argument: arguments are visible to everybody. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { AppError } from '#shared/errors.ts';
import { defaultPinsDir, defaultVaultDir } from '#platform/paths.ts';

export interface GlobalOptions {
  readonly vault?: string;
  readonly pins?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly json?: boolean;
}

export function vaultDirOf(options: GlobalOptions): string {
  return resolve(options.vault ?? process.env['STRONGROOM_VAULT'] ?? defaultVaultDir());
}

export function pinsDirOf(options: GlobalOptions): string {
  return resolve(options.pins ?? process.env['STRONGROOM_PINS'] ?? defaultPinsDir());
}

export function userOf(options: GlobalOptions): string {
  const user = options.user ?? process.env['STRONGROOM_USER'];
  if (user === undefined || user === '') {
    throw new AppError('invalid-input', 'Say who you are with --user NAME or STRONGROOM_USER.');
  }
  return user;
}

export async function readPassword(
  options: GlobalOptions,
  kind: 'known' | 'new' = 'known',
): Promise<string> {
  return readSecret({
    ...(kind === 'new' ? { repeat: true } : {}),
    file: options.passwordFile,
    variable: 'STRONGROOM_PASSWORD',
    prompt: 'Password: ',
    flag: '--password-file',
  });
}

export async function readSecret(from: {
  readonly file: string | undefined;
  readonly variable: string;
  readonly prompt: string;
  readonly flag: string;
  /** For a new one, which nobody could look up again after a typing error. */
  readonly repeat?: true;
}): Promise<string> {
  if (from.file !== undefined) {
    const text = await readFile(from.file, 'utf8').catch((cause: unknown) => {
      throw new AppError('invalid-input', `The file given with ${from.flag} cannot be read.`, {
        cause,
      });
    });
    return text.replace(/\r?\n$/, '');
  }
  const fromEnvironment = process.env[from.variable];
  if (fromEnvironment !== undefined) return fromEnvironment;
  if (!process.stdin.isTTY) {
    throw new AppError(
      'invalid-input',
      `No ${from.prompt.replace(': ', '').toLowerCase()}: give ${from.flag} FILE or set ${from.variable}.`,
    );
  }
  const secret = await ask(from.prompt);
  if (from.repeat === true && secret !== (await ask('Again: ')))
    throw new AppError('invalid-input', 'The two are not the same. Nothing was done; try again.');
  return secret;
}

/** Asks on the terminal without showing what is typed. */
async function ask(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await terminal.question('');
  } catch (cause) {
    // Control-C and the end of the input alike.
    throw new AppError('cancelled', 'Nothing was entered, so nothing was done.', { cause });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
