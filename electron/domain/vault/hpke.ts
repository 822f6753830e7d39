/**
 * HPKE base mode, single shot (RFC 9180 §6.1) with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-GCM: seals a purpose
 * key to the public key of a slot, so that an administrator can change what a slot holds without knowing its password.
 */
import { createCipheriv, createDecipheriv, createECDH, createHmac } from 'node:crypto';
import { AppError } from '#shared/errors.ts';

const kemId = 0x0010;
const kdfId = 0x0001;
const aeads = {
  'aes-128-gcm': { id: 0x0001, keyBytes: 16 },
  'aes-256-gcm': { id: 0x0002, keyBytes: 32 },
} as const;
type Aead = keyof typeof aeads;

export interface HpkeMessage {
  /** The sender's ephemeral public key, uncompressed point, 65 bytes. */
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

interface HpkeContext {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  /** AES-256-GCM unless told otherwise; the RFC's printed vectors for P-256 use the 128-bit key. */
  readonly aead?: Aead;
}

export interface HpkeKeyPair {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** Scalar, 32 bytes. */
  readonly privateKey: Uint8Array;
}

export function generateHpkeKeyPair(): HpkeKeyPair {
  const ecdh = createECDH('prime256v1');
  const publicKey = ecdh.generateKeys();
  return { publicKey, privateKey: leftPad(ecdh.getPrivateKey(), 32) };
}

export function hpkeSeal(
  message: HpkeContext & {
    readonly publicKey: Uint8Array;
    readonly plaintext: Uint8Array;
    readonly ephemeral?: HpkeKeyPair;
  },
): HpkeMessage {
  const ephemeral = message.ephemeral ?? generateHpkeKeyPair();
  const shared = sharedSecret({
    own: ephemeral,
    other: message.publicKey,
    enc: ephemeral.publicKey,
    recipient: message.publicKey,
  });
  const { key, nonce, aead } = schedule(shared, message);
  const cipher = createCipheriv(aead, key, nonce);
  cipher.setAAD(message.aad);
  const ciphertext = Buffer.concat([
    cipher.update(message.plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return { enc: ephemeral.publicKey, ciphertext };
}

/** Throws `tampered` when the message was not sealed for this key, info and AAD. */
export function hpkeOpen(
  message: HpkeContext & HpkeMessage & { readonly keyPair: HpkeKeyPair },
): Uint8Array {
  try {
    const { enc, ciphertext, keyPair } = message;
    const shared = sharedSecret({ own: keyPair, other: enc, enc, recipient: keyPair.publicKey });
    const { key, nonce, aead } = schedule(shared, message);
    const decipher = createDecipheriv(aead, key, nonce, { authTagLength: 16 });
    decipher.setAAD(message.aad);
    decipher.setAuthTag(ciphertext.subarray(-16));
    return Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]);
  } catch (cause) {
    throw new AppError(
      'tampered',
      'A key slot of the vault was changed by something other than Strongroom.',
      { cause },
    );
  }
}

/** DHKEM ExtractAndExpand (§4.1). */
function sharedSecret(options: {
  readonly own: HpkeKeyPair;
  readonly other: Uint8Array;
  readonly enc: Uint8Array;
  readonly recipient: Uint8Array;
}): Uint8Array {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(options.own.privateKey);
  const dh = ecdh.computeSecret(options.other);
  const suite = Buffer.concat([Buffer.from('KEM'), u16(kemId)]);
  const prk = labeledExtract(suite, new Uint8Array(), 'eae_prk', dh);
  const context = Buffer.concat([options.enc, options.recipient]);
  return labeledExpand(suite, prk, { label: 'shared_secret', info: context, lengthBytes: 32 });
}

/** The key schedule of base mode (§5.1): empty PSK, mode 0. */
function schedule(
  shared: Uint8Array,
  context: HpkeContext,
): { key: Uint8Array; nonce: Uint8Array; aead: Aead } {
  const aead = context.aead ?? 'aes-256-gcm';
  const none = new Uint8Array();
  const suite = Buffer.concat([Buffer.from('HPKE'), u16(kemId), u16(kdfId), u16(aeads[aead].id)]);
  const info = Buffer.concat([
    Uint8Array.of(0),
    labeledExtract(suite, none, 'psk_id_hash', none),
    labeledExtract(suite, none, 'info_hash', context.info),
  ]);
  const secret = labeledExtract(suite, shared, 'secret', none);
  return {
    key: labeledExpand(suite, secret, { label: 'key', info, lengthBytes: aeads[aead].keyBytes }),
    nonce: labeledExpand(suite, secret, { label: 'base_nonce', info, lengthBytes: 12 }),
    aead,
  };
}

function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  const labeled = Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), ikm]);
  return createHmac('sha256', salt).update(labeled).digest();
}

function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  output: { readonly label: string; readonly info: Uint8Array; readonly lengthBytes: number },
): Uint8Array {
  const info = Buffer.concat([
    u16(output.lengthBytes),
    Buffer.from('HPKE-v1'),
    suite,
    Buffer.from(output.label),
    output.info,
  ]);
  // One block is enough for every length used here (RFC 5869 §2.3).
  return createHmac('sha256', prk)
    .update(info)
    .update(Uint8Array.of(1))
    .digest()
    .subarray(0, output.lengthBytes);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function leftPad(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  const padded = Buffer.alloc(lengthBytes);
  padded.set(bytes, lengthBytes - bytes.length);
  return padded;
}
