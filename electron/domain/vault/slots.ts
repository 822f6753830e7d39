/**
 * Key slots. A slot has a P-256 key pair: the private half is wrapped under a key from the password (or the recovery key),
 * the purpose keys are sealed to the public half. So what a slot holds can be changed by whoever holds the purpose keys,
 * and a password can be changed without touching anybody else's slot.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import { Secret } from '#platform/secret.ts';
import { generateHpkeKeyPair, hpkeOpen, hpkeSeal, type HpkeKeyPair } from './hpke.ts';
import { passwordToKey, type KdfChoice } from './kdf.ts';
import { purposes, type Purpose, type RootKeys } from './purposes.ts';
import type { PasswordSlot, Slot, VaultFile } from './vault-file.ts';

export type VaultIdentity = Pick<VaultFile, 'vaultId' | 'tagSalt' | 'epochs'>;

/** What a slot gives: the keys in use and, while a rotation is under way, those that will follow them. */
export interface OpenedKeys {
  readonly keys: RootKeys;
  readonly next: RootKeys;
}

/** Finds a user's slot without naming the user (names are compared as NFC, lower case). */
export function slotTag(vault: VaultIdentity, user: string): string {
  const name = user.normalize('NFC').toLowerCase();
  return createHmac('sha256', Buffer.from(vault.tagSalt, 'base64')).update(name).digest('base64');
}

export async function createPasswordSlot(
  vault: VaultIdentity,
  entry: {
    readonly user: string;
    readonly password: string;
    readonly kdf: KdfChoice;
    readonly keys: RootKeys;
    readonly holds: readonly Purpose[];
  },
): Promise<Slot> {
  return passwordSlot(vault, {
    ...entry,
    tag: slotTag(vault, entry.user),
    id: randomBytes(16).toString('hex'),
  });
}

/** The same slot and the same purpose keys behind another password. */
export async function changePassword(
  vault: VaultIdentity,
  slot: PasswordSlot,
  entry: { readonly password: string; readonly kdf: KdfChoice; readonly keys: RootKeys },
): Promise<Slot> {
  return passwordSlot(vault, { ...entry, tag: slot.tag, id: slot.id, holds: heldBy(slot) });
}

export function createRecoverySlot(
  vault: VaultIdentity,
  recoveryKey: Uint8Array,
  keys: RootKeys,
): Slot {
  const id = randomBytes(16).toString('hex');
  const pair = generateHpkeKeyPair();
  const kek = recoveryKek(recoveryKey, id);
  return {
    kind: 'recovery',
    id,
    publicKey: toBase64(pair.publicKey),
    wrappedPrivateKey: toBase64(
      wrap(kek, pair.privateKey, wrapAad(vault, { kind: 'recovery', id })),
    ),
    sealed: seal(vault, { id, publicKey: pair.publicKey }, keys, purposes),
    next: {},
  };
}

/** For a secret that only the keychain of a computer keeps; holds what the person's password slot holds. */
export function createKeychainSlot(
  vault: VaultIdentity,
  secret: Uint8Array,
  of: { readonly password: PasswordSlot; readonly keys: RootKeys },
): Slot {
  const id = randomBytes(16).toString('hex');
  const pair = generateHpkeKeyPair();
  return {
    kind: 'keychain',
    id,
    tag: of.password.tag,
    publicKey: toBase64(pair.publicKey),
    wrappedPrivateKey: toBase64(
      wrap(keychainKek(secret, id), pair.privateKey, wrapAad(vault, { kind: 'keychain', id })),
    ),
    sealed: seal(vault, { id, publicKey: pair.publicKey }, of.keys, heldBy(of.password)),
    next: {},
  };
}

/** Adds to the slot those keys of the next epoch whose present ones it holds. */
export function offerNextKeys(vault: VaultIdentity, slot: Slot, nextKeys: RootKeys): Slot {
  const recipient = { id: slot.id, publicKey: fromBase64(slot.publicKey) };
  const offered = heldBy(slot).filter((purpose) => nextKeys[purpose] !== undefined);
  return {
    ...slot,
    next: {
      ...slot.next,
      ...seal({ ...vault, epochs: nextEpochs(vault) }, recipient, nextKeys, offered),
    },
  };
}

export function nextEpochs({ epochs }: Pick<VaultFile, 'epochs'>): VaultFile['epochs'] {
  const { models, records, catalog, audit } = epochs;
  return { models: models + 1, records: records + 1, catalog: catalog + 1, audit: audit + 1 };
}

/** Gives the slot exactly the purpose keys of `holds`. */
export function resealSlot(
  vault: VaultIdentity,
  slot: Slot,
  keys: RootKeys,
  holds: readonly Purpose[],
): Slot {
  return {
    ...slot,
    sealed: seal(vault, { id: slot.id, publicKey: fromBase64(slot.publicKey) }, keys, holds),
    next: Object.fromEntries(
      Object.entries(slot.next).filter(([purpose]) => holds.some((held) => held === purpose)),
    ),
  };
}

/** The purpose keys of the slot, or undefined when the password is wrong. */
export async function openPasswordSlot(
  vault: VaultIdentity,
  slot: PasswordSlot,
  password: string,
): Promise<OpenedKeys | undefined> {
  const kek = await passwordToKey(password, slot.kdf, fromBase64(slot.salt));
  return openSlot(vault, slot, kek, {
    kind: 'password',
    id: slot.id,
    kdf: slot.kdf,
    salt: slot.salt,
  });
}

export function openRecoverySlot(
  vault: VaultIdentity,
  slot: Slot,
  recoveryKey: Uint8Array,
): OpenedKeys | undefined {
  return openSlot(vault, slot, recoveryKek(recoveryKey, slot.id), {
    kind: 'recovery',
    id: slot.id,
  });
}

export function openKeychainSlot(
  vault: VaultIdentity,
  slot: Slot,
  secret: Uint8Array,
): OpenedKeys | undefined {
  return openSlot(vault, slot, keychainKek(secret, slot.id), { kind: 'keychain', id: slot.id });
}

export function heldBy(slot: Slot): Purpose[] {
  return purposes.filter((purpose) => slot.sealed[purpose] !== undefined);
}

async function passwordSlot(
  vault: VaultIdentity,
  entry: {
    readonly id: string;
    readonly tag: string;
    readonly password: string;
    readonly kdf: KdfChoice;
    readonly keys: RootKeys;
    readonly holds: readonly Purpose[];
  },
): Promise<Slot> {
  const { id, tag, kdf } = entry;
  const saltBytes = randomBytes(16);
  const salt = toBase64(saltBytes);
  const kek = await passwordToKey(entry.password, kdf, saltBytes);
  const pair = generateHpkeKeyPair();
  return {
    kind: 'password',
    id,
    tag,
    kdf,
    salt,
    publicKey: toBase64(pair.publicKey),
    wrappedPrivateKey: toBase64(
      wrap(kek, pair.privateKey, wrapAad(vault, { kind: 'password', id, kdf, salt })),
    ),
    sealed: seal(vault, { id, publicKey: pair.publicKey }, entry.keys, entry.holds),
    next: {},
  };
}

function openSlot(
  vault: VaultIdentity,
  slot: Slot,
  kek: Uint8Array,
  bound: object,
): OpenedKeys | undefined {
  const privateKey = unwrap(kek, fromBase64(slot.wrappedPrivateKey), wrapAad(vault, bound));
  if (privateKey === undefined) return undefined;
  const keyPair: HpkeKeyPair = { publicKey: fromBase64(slot.publicKey), privateKey };
  try {
    return {
      keys: openSealed(slot.sealed, { slotId: slot.id, keyPair, vault }),
      next: openSealed(slot.next, {
        slotId: slot.id,
        keyPair,
        vault: { ...vault, epochs: nextEpochs(vault) },
      }),
    };
  } finally {
    privateKey.fill(0);
  }
}

function openSealed(
  sealed: Slot['sealed'],
  of: { readonly slotId: string; readonly keyPair: HpkeKeyPair; readonly vault: VaultIdentity },
): RootKeys {
  const keys: Partial<Record<Purpose, Secret<Purpose>>> = {};
  for (const purpose of purposes) {
    const message = sealed[purpose];
    if (message === undefined) continue;
    const opened = hpkeOpen({
      enc: fromBase64(message.enc),
      ciphertext: fromBase64(message.ciphertext),
      keyPair: of.keyPair,
      ...sealContext(of.vault, of.slotId, purpose),
    });
    keys[purpose] = new Secret<Purpose>(opened);
  }
  return keys;
}

function seal(
  vault: VaultIdentity,
  slot: { readonly id: string; readonly publicKey: Uint8Array },
  keys: RootKeys,
  holds: readonly Purpose[],
): Slot['sealed'] {
  const sealed: Slot['sealed'] = {};
  for (const purpose of holds) {
    const key = keys[purpose];
    if (key === undefined) {
      throw new AppError(
        'forbidden',
        `Your own key slot does not hold the ${purpose} key, so you cannot hand it on.`,
      );
    }
    const { enc, ciphertext } = hpkeSeal({
      publicKey: slot.publicKey,
      plaintext: key.reveal(),
      ...sealContext(vault, slot.id, purpose),
    });
    sealed[purpose] = { enc: toBase64(enc), ciphertext: toBase64(ciphertext) };
  }
  return sealed;
}

function sealContext(
  vault: VaultIdentity,
  slotId: string,
  purpose: Purpose,
): { info: Uint8Array; aad: Uint8Array } {
  const epoch = vault.epochs[purpose];
  return {
    info: Buffer.from('strongroom purpose key v1'),
    // Version 1 of the format had no epochs; its keys stay as they are sealed.
    aad: canonicalBytes({
      vaultId: vault.vaultId,
      slotId,
      purpose,
      ...(epoch === 1 ? {} : { epoch }),
    }),
  };
}

function wrapAad(vault: VaultIdentity, bound: object): Uint8Array {
  return canonicalBytes({ vaultId: vault.vaultId, ...bound });
}

function recoveryKek(recoveryKey: Uint8Array, slotId: string): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', recoveryKey, Buffer.from(slotId, 'hex'), 'strongroom recovery slot v1', 32),
  );
}

function keychainKek(secret: Uint8Array, slotId: string): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', secret, Buffer.from(slotId, 'hex'), 'strongroom keychain slot v1', 32),
  );
}

/** IV (12) ‖ ciphertext ‖ tag (16), AES-256-GCM. Node takes a key object in a quarter of the time that bytes cost. */
export function wrap(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), iv);
  cipher.setAAD(aad);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when the key or the AAD is not the one it was wrapped with. */
export function unwrap(
  key: Uint8Array,
  wrapped: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (wrapped.length < 28) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), wrapped.subarray(0, 12), {
    authTagLength: 16,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(wrapped.subarray(-16));
  const plaintext = decipher.update(wrapped.subarray(12, -16));
  try {
    decipher.final();
    return plaintext;
  } catch {
    // A wrong password looks like this; the caller decides what it means.
    plaintext.fill(0);
    return undefined;
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
