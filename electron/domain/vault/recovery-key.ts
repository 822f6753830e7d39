/**
 * A recovery key for paper: 32 random bytes and a 4-byte checksum in Crockford's base32, as twelve groups of five. Reading is
 * forgiving (case, spaces, O for 0, I and L for 1) and a mistyped key is told apart from a wrong one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const keyBytes = 32;
const checksumBytes = 4;
const symbols = Math.ceil(((keyBytes + checksumBytes) * 8) / 5);
const groupSymbols = 5;

export function generateRecoveryKey(): { readonly key: Uint8Array; readonly text: string } {
  const key = randomBytes(keyBytes);
  return { key, text: recoveryKeyToText(key) };
}

export function recoveryKeyToText(key: Uint8Array): string {
  let value = BigInt(`0x${Buffer.concat([key, checksum(key)]).toString('hex')}`);
  let text = '';
  for (let index = 0; index < symbols; index += 1) {
    text = alphabet.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return (text.match(new RegExp(`.{1,${groupSymbols}}`, 'g')) ?? []).join('-');
}

/** Throws `invalid-input` when the text cannot be a recovery key at all: too long, too short, or a typing error. */
export function parseRecoveryKey(text: string): Uint8Array {
  const clean = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  if (clean.length !== symbols) throw mistyped();
  let value = 0n;
  for (const symbol of clean) {
    const digit = alphabet.indexOf(symbol);
    if (digit < 0) throw mistyped();
    value = (value << 5n) | BigInt(digit);
  }
  const hex = value.toString(16).padStart((keyBytes + checksumBytes) * 2, '0');
  const bytes = Buffer.from(hex, 'hex');
  const key = bytes.subarray(0, keyBytes);
  if (bytes.length !== keyBytes + checksumBytes || !checksum(key).equals(bytes.subarray(keyBytes)))
    throw mistyped();
  return key;
}

function checksum(key: Uint8Array): Buffer {
  return createHash('sha256')
    .update('strongroom recovery key')
    .update(key)
    .digest()
    .subarray(0, checksumBytes);
}

function mistyped(): AppError {
  return new AppError(
    'invalid-input',
    'This is not a complete recovery key. It has 58 letters and digits, in groups of five; check for a typing error.',
  );
}
