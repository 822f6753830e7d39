/** A child that imports sets of three objects until it is killed. Argument: the vault folder. */
import { openVault } from '#domain/vault/index.ts';
import { adminPassword, bareSchema, chunksOf } from './bare-vault.ts';

const dir = process.argv[2];
if (dir === undefined) throw new Error('Which vault?');
const vault = await openVault({
  dir,
  user: 'Ada',
  password: adminPassword,
  clock: () => new Date(),
  schema: bareSchema,
});
vault.catalog.exec('CREATE TABLE IF NOT EXISTS pairs (first TEXT) STRICT');
process.stdout.write('importing\n');
for (;;) {
  const staged = [];
  for (let count = 0; count < 3; count += 1)
    staged.push(
      await vault.objects.stage({ source: chunksOf(new Uint8Array(200_000).fill(count)) }),
    );
  const [first] = staged;
  await vault.objects.commit(staged, () => {
    vault.catalog.prepare('INSERT INTO pairs VALUES (?)').run(first?.objectId);
  });
  process.stdout.write('imported\n');
}
