/** The root keys of a vault and who holds which: the part of the roles that cryptography enforces. */
import { hkdfSync } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import { purpose, type Purpose } from '#shared/contract/keys.ts';
import type { Role } from '#shared/roles.ts';
import type { Secret } from '#platform/secret.ts';

export type { Purpose };
export const purposes = purpose.options;

/** An auditor reads every record and no model. */
export const purposesByRole: Readonly<Record<Role, readonly Purpose[]>> = {
  administrator: purposes,
  analyst: purposes,
  approver: purposes,
  auditor: ['records', 'catalog', 'audit'],
};

export type RootKeys = Readonly<Partial<Record<Purpose, Secret<Purpose>>>>;

export function destroyKeys(keys: RootKeys): void {
  for (const key of Object.values(keys)) key[Symbol.dispose]();
}

/** A key for one use, so that no root key is ever used twice for different things (RFC 5869, SHA-256, 32 bytes). */
export function deriveKey(root: Secret<Purpose>, use: string): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', root.reveal(), new Uint8Array(), `strongroom ${use}`, 32),
  );
}

export function requireKey(keys: RootKeys, purpose: Purpose): Secret<Purpose> {
  const key = keys[purpose];
  if (key === undefined)
    throw new AppError('tampered', `A key slot of the vault lacks its ${purpose} key.`);
  return key;
}

/** The key of the MAC over `vault.json`. */
export function vaultFileKey(keys: RootKeys): Uint8Array {
  return deriveKey(requireKey(keys, 'catalog'), 'vault.json v1');
}
