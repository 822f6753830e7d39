/** Entry of the headless twin: `node electron/cli.ts COMMAND`. The core runs in this process. */
import { exitCodeByErrorCode } from '#shared/errors.ts';
import { closeInherited } from '#platform/inherited.ts';
import { runCli } from './cli/program.ts';

process.umask(0o077);
closeInherited();
// Whoever reads our output may stop reading; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write('strongroom: io: The answer could not be written out.\n');
  process.exit(exitCodeByErrorCode.io);
});
// With a listener of ours, the signal does not start Node's debugger in the process that holds the keys.
process.on('SIGUSR1', () => undefined);
process.exitCode = await runCli(process.argv.slice(2));
