/** A recovery key for paper: 32 random bytes with their checksum, as twelve groups of letters and digits. */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import { fromPaper, toPaper } from './paper.ts';

export const recoveryKeyBytes = 32;
const label = 'strongroom recovery key';

export function generateRecoveryKey(): { readonly key: Uint8Array; readonly text: string } {
  const key = randomBytes(recoveryKeyBytes);
  return { key, text: recoveryKeyToText(key) };
}

export function recoveryKeyToText(key: Uint8Array): string {
  return toPaper(key, label);
}

/** Throws `invalid-input` when the text cannot be a recovery key at all: too long, too short, or a typing error. */
export function parseRecoveryKey(text: string): Uint8Array {
  const key = fromPaper(text, recoveryKeyBytes, label);
  if (key === undefined)
    throw new AppError(
      'invalid-input',
      'This is not a complete recovery key. It has 58 letters and digits, in groups of five; check for a typing error.',
    );
  return key;
}
