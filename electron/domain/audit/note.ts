/**
 * Signed notes (C2SP signed-note): text that ends in a newline, an empty line, then one line per signature,
 * `— <name> base64(key id ‖ signature)`. Ed25519 (type 0x01) only; lines of keys that we do not know are passed over, as the
 * specification asks. Ed25519 is approved in FIPS 186-5, so both profiles use it.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
} from 'node:crypto';
import { AppError } from '#shared/errors.ts';

const ed25519Type = 0x01;
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const maxNoteBytes = 1_000_000;
const maxSignatures = 100;

/** A parsed verifier key, `name+hex(key id)+base64(type ‖ public key)`. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly text: string;
}

export interface NoteSigner {
  readonly verifierKey: VerifierKey;
  sign(message: Uint8Array): Uint8Array;
}

export interface Note {
  /** Everything that is signed, the final newline included. */
  readonly text: string;
  readonly signatures: readonly {
    readonly name: string;
    readonly keyId: Uint8Array;
    readonly signature: Uint8Array;
  }[];
}

/** A fresh key; the private half as PKCS#8 DER. */
export function generateNoteKey(name: string): {
  readonly privateKey: Uint8Array;
  readonly verifierKey: VerifierKey;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(spkiPrefix.length);
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
    verifierKey: verifierKeyOf(name, raw),
  };
}

export function createNoteSigner(name: string, privateKey: Uint8Array): NoteSigner {
  const key = createPrivateKey({ key: Buffer.from(privateKey), type: 'pkcs8', format: 'der' });
  const raw = createPublicKey(key)
    .export({ type: 'spki', format: 'der' })
    .subarray(spkiPrefix.length);
  return { verifierKey: verifierKeyOf(name, raw), sign: (message) => sign(null, message, key) };
}

export function parseVerifierKey(text: string): VerifierKey {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim());
  const [, name, keyId, encoded] = match ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (name !== undefined && bytes.length === 33 && bytes[0] === ed25519Type) {
    const key = verifierKeyOf(name, bytes.subarray(1));
    if (Buffer.from(key.keyId).toString('hex') === keyId) return key;
  }
  throw new AppError(
    'invalid-input',
    'This is not a verifier key. It looks like name+8 hex digits+base64.',
  );
}

/** A short form for people to compare: SHA-256 of the public key, first 16 bytes in groups. */
export function keyFingerprint(key: VerifierKey): string {
  const digest = hash('sha256', key.publicKey, 'hex').slice(0, 32);
  return (digest.match(/.{4}/g) ?? []).join(' ');
}

export function signNote(text: string, signer: NoteSigner): string {
  const { name, keyId } = signer.verifierKey;
  const line = Buffer.concat([keyId, signer.sign(Buffer.from(text))]).toString('base64');
  return `${text}\n— ${name} ${line}\n`;
}

export function parseNote(note: string): Note {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || note.length > maxNoteBytes || !note.endsWith('\n')) throw malformed();
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > maxSignatures) throw malformed();
  const signatures = lines.map((line) => {
    const match = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
    const bytes = Buffer.from(match?.[2] ?? '', 'base64');
    if (match?.[1] === undefined || bytes.length < 5 || bytes.toString('base64') !== match[2])
      throw malformed();
    return { name: match[1], keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
  });
  return { text: note.slice(0, end + 1), signatures };
}

/** Whether one of the signatures is a valid one of this key. */
export function isSignedBy(note: Note, key: VerifierKey): boolean {
  return note.signatures.some(
    ({ name, keyId, signature }) =>
      name === key.name &&
      Buffer.compare(keyId, key.keyId) === 0 &&
      isSignature(key, Buffer.from(note.text), signature),
  );
}

export function isSignature(key: VerifierKey, message: Uint8Array, signature: Uint8Array): boolean {
  const spki = Buffer.concat([spkiPrefix, key.publicKey]);
  return (
    signature.length === 64 &&
    verify(null, message, createPublicKey({ key: spki, type: 'spki', format: 'der' }), signature)
  );
}

function verifierKeyOf(name: string, publicKey: Uint8Array): VerifierKey {
  const typed = Buffer.concat([Uint8Array.of(ed25519Type), publicKey]);
  const keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(
    0,
    4,
  );
  return {
    name,
    keyId,
    publicKey,
    text: `${name}+${keyId.toString('hex')}+${typed.toString('base64')}`,
  };
}

function malformed(): AppError {
  return new AppError('corrupt', 'This is not a signed note.');
}
