/** Entry of the headless twin: `node electron/cli.ts COMMAND`. The core runs in this process. */
import { runCli } from './cli/program.ts';

process.umask(0o077);
process.exitCode = await runCli(process.argv.slice(2));
