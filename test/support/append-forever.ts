/** A child that appends acts until it is killed. Argument: the folder of the log. */
import { appendAct, openTestLog } from './logs.ts';

const dir = process.argv[2];
if (dir === undefined) throw new Error('Which log?');
const { log } = openTestLog(dir);
process.stdout.write('appending\n');
for (;;) {
  appendAct(log);
  process.stdout.write('appended\n');
}
