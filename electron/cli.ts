/** Entry of the headless twin: `node electron/cli.ts COMMAND`. The core runs in this process. */
import { runCli } from './cli/program.ts';

process.umask(0o077);
// Whoever reads our output may stop reading; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await runCli(process.argv.slice(2));
