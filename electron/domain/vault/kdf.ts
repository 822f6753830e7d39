/** From a password to a key: Argon2id (RFC 9106), or PBKDF2-HMAC-SHA-512 in the FIPS profile. Seconds of work on purpose. */
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';

/** The bounds keep a hostile `vault.json` from exhausting memory or time. */
export const kdfChoice = z.discriminatedUnion('name', [
  z
    .strictObject({
      name: z.literal('argon2id'),
      memoryKib: z.int().max(1024 * 1024),
      passes: z.int().min(1).max(10),
      lanes: z.int().min(1).max(16),
    })
    // RFC 9106 §3.1.
    .refine(({ memoryKib, lanes }) => memoryKib >= 8 * lanes),
  z.strictObject({
    name: z.literal('pbkdf2-hmac-sha512'),
    iterations: z.int().min(1).max(50_000_000),
  }),
]);
export type KdfChoice = z.infer<typeof kdfChoice>;

export const kdfByProfile = {
  standard: { name: 'argon2id', memoryKib: 256 * 1024, passes: 3, lanes: 4 },
  fips: { name: 'pbkdf2-hmac-sha512', iterations: 4_000_000 },
} as const satisfies Record<string, KdfChoice>;

/** The library's name for Argon2id; its enum exists in types only. */
const argon2id = 2;

const pbkdf2Async = promisify(pbkdf2);

/** 32 bytes. Passwords are compared in Unicode NFC, so that the keyboard's composition does not matter. */
export async function passwordToKey(
  password: string,
  kdf: KdfChoice,
  salt: Uint8Array,
): Promise<Uint8Array> {
  const bytes = Buffer.from(password.normalize('NFC'), 'utf8');
  try {
    switch (kdf.name) {
      case 'argon2id': {
        // Loaded here only, so that a vault of the FIPS profile never brings it into the process.
        const { hashRaw } = await import('@node-rs/argon2');
        return await hashRaw(bytes, {
          algorithm: argon2id,
          memoryCost: kdf.memoryKib,
          timeCost: kdf.passes,
          parallelism: kdf.lanes,
          outputLen: 32,
          salt,
        });
      }
      case 'pbkdf2-hmac-sha512':
        return await pbkdf2Async(bytes, salt, kdf.iterations, 32, 'sha512');
    }
  } finally {
    bytes.fill(0);
  }
}
