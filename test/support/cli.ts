/** The command line as a person starts it, with nothing in its environment but what it is given. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { appPasswords } from './bare-app.ts';

export const cliScript = join(import.meta.dirname, '../../electron/cli.ts');

/** `own` on top of what any program of ours needs here. */
export function cliEnvironment(own: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE, ...own };
}

/** Of somebody who works on the vault that a bare app has in `dir`. */
export function environmentOf(dir: string, user: keyof typeof appPasswords): NodeJS.ProcessEnv {
  return cliEnvironment({
    STRONGROOM_VAULT: join(dir, 'vault'),
    STRONGROOM_PINS: join(dir, 'pins'),
    STRONGROOM_USER: user,
    STRONGROOM_PASSWORD: appPasswords[user],
  });
}

/** With a prefix, that program starts it: `strace` and its options. */
export function runCli(
  args: readonly string[],
  env = cliEnvironment(),
  { cwd, prefix = [] }: { readonly cwd?: string; readonly prefix?: readonly string[] } = {},
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const [command = '', ...rest] = [...prefix, process.execPath, cliScript, ...args];
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8', env, cwd });
  return { status, stdout, stderr };
}
