/**
 * Signed notes (C2SP signed-note): text that ends in a newline, an empty line, then one line per signature,
 * `— <name> base64(key id ‖ signature)`. Ed25519 (type 0x01), or ECDSA with P-256 and SHA-256 (type 0x02) for vaults of the
 * FIPS profile: the public key is then its SPKI in DER, the signature is ASN.1 in DER. Lines of keys that we do not know are
 * passed over, as the specification asks.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { AppError } from '#shared/errors.ts';

const typeByte = { ed25519: 0x01, 'ecdsa-p256': 0x02 } as const;
export type NoteAlgorithm = keyof typeof typeByte;

/** What stands before the bare key in an SPKI: the algorithm. */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex');
const p256Prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const p256SpkiBytes = 91;
const maxNoteBytes = 1_000_000;
const maxSignatures = 100;

/** A parsed verifier key, `name+hex(key id)+base64(type ‖ public key)`. */
export interface VerifierKey {
  readonly name: string;
  readonly algorithm: NoteAlgorithm;
  readonly keyId: Uint8Array;
  /** Ed25519: 32 bytes. ECDSA: the SPKI in DER. */
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
export function generateNoteKey(
  name: string,
  algorithm: NoteAlgorithm,
): {
  readonly privateKey: Uint8Array;
  readonly verifierKey: VerifierKey;
} {
  const { privateKey } =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
    verifierKey: verifierKeyOf(name, ...publicHalf(privateKey)),
  };
}

export function createNoteSigner(name: string, privateKey: Uint8Array): NoteSigner {
  const key = createPrivateKey({ key: Buffer.from(privateKey), type: 'pkcs8', format: 'der' });
  const [algorithm, publicKey] = publicHalf(key);
  return {
    verifierKey: verifierKeyOf(name, algorithm, publicKey),
    sign: (message) => sign(digestOf(algorithm), message, key),
  };
}

export function parseVerifierKey(text: string): VerifierKey {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim());
  const [, name, keyId, encoded] = match ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  const algorithm = algorithmOf(bytes);
  if (name !== undefined && algorithm !== undefined) {
    const key = verifierKeyOf(name, algorithm, bytes.subarray(1));
    if (Buffer.from(key.keyId).toString('hex') === keyId) return key;
  }
  throw new AppError(
    'invalid-input',
    'This is not a verifier key. It looks like name+8 hex digits+base64.',
  );
}

/** Of a type byte and public key; undefined when it is neither of the two that are known. */
function algorithmOf(typed: Uint8Array): NoteAlgorithm | undefined {
  if (typed[0] === typeByte.ed25519 && typed.length === 33) return 'ed25519';
  const isP256 =
    typed[0] === typeByte['ecdsa-p256'] &&
    typed.length === 1 + p256SpkiBytes &&
    p256Prefix.equals(typed.subarray(1, 1 + p256Prefix.length));
  return isP256 ? 'ecdsa-p256' : undefined;
}

function publicHalf(privateKey: KeyObject): [NoteAlgorithm, Uint8Array] {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return privateKey.asymmetricKeyType === 'ed25519'
    ? ['ed25519', spki.subarray(ed25519Prefix.length)]
    : ['ecdsa-p256', spki];
}

/** Ed25519 hashes by itself. */
function digestOf(algorithm: NoteAlgorithm): 'sha256' | null {
  return algorithm === 'ed25519' ? null : 'sha256';
}

/** A short form for people to compare: SHA-256 of the public key, first 16 bytes in groups. */
export function keyFingerprint(key: VerifierKey): string {
  const digest = hash('sha256', key.publicKey, 'hex').slice(0, 32);
  return (digest.match(/.{4}/g) ?? []).join(' ');
}

export function signNote(text: string, ...signers: readonly NoteSigner[]): string {
  const lines = signers.map(({ verifierKey: { name, keyId }, sign: signBy }) => {
    const line = Buffer.concat([keyId, signBy(Buffer.from(text))]).toString('base64');
    return `— ${name} ${line}\n`;
  });
  return `${text}\n${lines.join('')}`;
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
  const isEd25519 = key.algorithm === 'ed25519';
  if (isEd25519 && signature.length !== 64) return false;
  const spki = isEd25519 ? Buffer.concat([ed25519Prefix, key.publicKey]) : key.publicKey;
  try {
    const publicKey = createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' });
    return verify(digestOf(key.algorithm), message, publicKey, signature);
  } catch {
    return false; // bytes that are no point of the curve have signed nothing
  }
}

function verifierKeyOf(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): VerifierKey {
  const typed = Buffer.concat([Uint8Array.of(typeByte[algorithm]), publicKey]);
  // The specification hashes the name with an Ed25519 key, and the bare SPKI of an ECDSA key.
  const hashed =
    algorithm === 'ed25519' ? Buffer.concat([Buffer.from(`${name}\n`), typed]) : publicKey;
  const keyId = hash('sha256', hashed, 'buffer').subarray(0, 4);
  return {
    name,
    algorithm,
    keyId,
    publicKey,
    text: `${name}+${keyId.toString('hex')}+${typed.toString('base64')}`,
  };
}

function malformed(): AppError {
  return new AppError('corrupt', 'This is not a signed note.');
}
