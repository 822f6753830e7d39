/** A host that signs in, asks its core very often, and is killed while it is answered. Argument: the folder with the vault. */
import { join } from 'node:path';
import { startCore } from '#app/core-process.ts';
import { appPasswords } from './bare-app.ts';

const [dir = ''] = process.argv.slice(2);
const core = startCore({
  nodePath: process.execPath,
  vaultDir: join(dir, 'vault'),
  pinsDir: join(dir, 'pins'),
  host: 'chromium',
});
await core.invoke('vault.signIn', { user: 'ada', password: appPasswords.ada });
const asked = Array.from({ length: 3000 }, () => core.invoke('vault.status', null));
await asked[2];
process.kill(process.pid, 'SIGKILL');
