/**
 * The recovery key on several sheets of paper, of which any `threshold` bring it back (FORMAT.md §2). A share names the vault and
 * the recovery slot that it is for, so that sheets of different sets are not put together.
 */
import { AppError } from '#shared/errors.ts';
import { fromPaper, paperSymbols, paperSymbolsOf, toPaper } from './paper.ts';
import type { RootKeys } from './purposes.ts';
import { generateRecoveryKey, parseRecoveryKey, recoveryKeyBytes } from './recovery-key.ts';
import { interpolate, splitSecret } from './shamir.ts';
import { createRecoverySlot, type VaultIdentity } from './slots.ts';
import type { Slot } from './vault-file.ts';

const label = 'strongroom recovery share';
const idBytes = 4;
/** Vault and slot, four bytes of each id; threshold; index. */
const headBytes = 2 * idBytes + 2;
const shareBytes = headBytes + recoveryKeyBytes;

export interface Split {
  readonly threshold: number;
  readonly shares: number;
}

/** A new recovery slot and what a person writes down for it: the key, or its shares, one on a line. */
export function createRecovery(
  vault: VaultIdentity,
  keys: RootKeys,
  split: Split | undefined,
): { readonly slot: Slot; readonly text: string } {
  const { key, text } = generateRecoveryKey();
  const slot = createRecoverySlot(vault, key, keys);
  const shares =
    split === undefined
      ? [text]
      : recoveryKeyToShares(key, split, { vaultId: vault.vaultId, slotId: slot.id });
  key.fill(0);
  return { slot, text: shares.join('\n') };
}

export function recoveryKeyToShares(
  key: Uint8Array,
  split: Split,
  ids: { readonly vaultId: string; readonly slotId: string },
): string[] {
  const set = [ids.vaultId, ids.slotId].map((id) => Buffer.from(id, 'hex').subarray(0, idBytes));
  return splitSecret(key, split).map(({ index, bytes }) =>
    toPaper(Buffer.concat([...set, Uint8Array.of(split.threshold, index), bytes]), label),
  );
}

/**
 * Takes what a person has: the recovery key, or as many shares as needed, one on a line. Throws `invalid-input` that says which
 * line is mistyped, of another set, there twice, or how many are still missing.
 */
export function parseRecovery(text: string, vaultId: string): Uint8Array {
  const lines = text.split('\n').filter((line) => paperSymbolsOf(line) !== '');
  const isShare = (line: string): boolean =>
    paperSymbolsOf(line).length === paperSymbols(shareBytes);
  if (!lines.some(isShare)) return parseRecoveryKey(text);
  const shares = lines.map((line, at) => parseShare(line, at + 1));
  const [first] = shares;
  if (first === undefined) return parseRecoveryKey(text);
  if (!vaultId.startsWith(first.set.slice(0, 2 * idBytes)))
    throw new AppError('wrong-password', 'These recovery shares belong to another vault.');
  for (const [at, share] of shares.entries()) {
    if (share.set !== first.set || share.threshold !== first.threshold)
      throw new AppError(
        'invalid-input',
        `Share ${at + 1} is not of the same set as share 1. Only shares that were made together fit together.`,
      );
    if (shares.findIndex(({ index }) => index === share.index) !== at)
      throw new AppError('invalid-input', `Share ${at + 1} is there twice.`);
  }
  const missing = first.threshold - shares.length;
  if (missing > 0)
    throw new AppError(
      'invalid-input',
      `${missing} more ${missing === 1 ? 'share is' : 'shares are'} needed: any ${first.threshold} of the set.`,
    );
  return interpolate(shares.slice(0, first.threshold));
}

function parseShare(
  line: string,
  at: number,
): { readonly set: string; threshold: number; index: number; bytes: Uint8Array } {
  const share = fromPaper(line, shareBytes, label);
  if (share === undefined)
    throw new AppError(
      'invalid-input',
      `Share ${at} is not complete. It has ${paperSymbols(shareBytes)} letters and digits, in groups of five; check for a typing error.`,
    );
  const [threshold = 0, index = 0] = share.subarray(2 * idBytes, headBytes);
  return {
    set: Buffer.from(share.subarray(0, 2 * idBytes)).toString('hex'),
    threshold,
    index,
    bytes: share.subarray(headBytes),
  };
}
