/** Writes an object of several blocks into a folder, reads it back, and prints whether it is what it was. */
import { createHash, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createFloeWriter, openFloeFile } from '#domain/floe/index.ts';
import { chunksOf } from './bare-vault.ts';

const path = join(process.argv[2] ?? '', 'object');
const plaintext = randomBytes(9_000_001);
const key = randomBytes(32);
const aad = randomBytes(32);
const writer = createFloeWriter();
const source = chunksOf(plaintext, 1_000_000);
const written = await writer.write({ path, source, key: Uint8Array.from(key), aad });
writer.hasher.close();
await using file = await open(path);
const reader = await openFloeFile({ fd: file.fd, key, aad, sizeBytes: plaintext.length });
const same = Buffer.compare(await reader.readAll(), plaintext) === 0;
const hashed = written.sha256 === createHash('sha256').update(plaintext).digest('hex');
process.stdout.write(JSON.stringify({ same, hashed }));
