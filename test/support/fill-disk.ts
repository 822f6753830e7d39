/** Takes a file into a vault on a disk that is too small for it, and prints what came of it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createVault } from '#domain/vault/index.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { adminPassword, bareSchema, chunksOf } from './bare-vault.ts';

const [, , root = ''] = process.argv;
const dir = join(root, 'vault');
const { vault } = await createVault({
  dir,
  user: 'ada',
  password: adminPassword,
  profile: 'standard',
  kdf: { name: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 },
  clock: () => new Date(),
  schema: bareSchema,
});
try {
  await vault.objects.stage({ source: chunksOf(Buffer.alloc(64 * 2 ** 20), 2 ** 20) });
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const left = readdirSync(join(dir, 'staging'));
  process.stdout.write(JSON.stringify({ code, told: errorToBody(error).code, left }));
}
vault.close();
