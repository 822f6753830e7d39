/** The keys and certificates whose bundle signatures this vault accepts. */
import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { TrustedKey } from '#shared/contract/trust.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';

export interface TrustAnchor {
  readonly keyId: string;
  readonly name: string;
  readonly kind: 'key' | 'certificate';
  readonly pem: string;
}

export interface TrustList {
  list(): TrustedKey[];
  anchors(): TrustAnchor[];
  add(entry: {
    readonly name: string;
    readonly pem: string;
    readonly by: string;
    readonly note: string | undefined;
  }): TrustedKey;
  /** `keyId` may be shortened as long as it names one key. */
  remove(keyId: string): TrustedKey;
}

export function createTrustList(db: Database, clock: Clock): TrustList {
  const rows = (): KeyRow[] =>
    db.prepare<[], KeyRow>('SELECT * FROM trusted_keys ORDER BY name, key_id').all();
  return {
    list: () => rows().map(rowToKey),
    anchors: () =>
      rows().map(({ key_id, name, kind, pem }) => ({ keyId: key_id, name, kind, pem })),
    add({ name, pem, by, note }) {
      const parsed = parseTrustAnchor(name, pem);
      const known = rows().find((row) => row.key_id === parsed.keyId);
      if (known !== undefined) {
        throw new AppError(
          'conflict',
          `This key is trusted already, under the name ${known.name}.`,
        );
      }
      const row: KeyRow = {
        key_id: parsed.keyId,
        name,
        kind: parsed.kind,
        algorithm: parsed.algorithm,
        pem: parsed.pem,
        added_at: clock().toISOString(),
        added_by: by,
        expires_at: parsed.expiresAt ?? null,
        note: note ?? null,
      };
      db.prepare(
        `INSERT INTO trusted_keys VALUES
           (@key_id, @name, @kind, @algorithm, @pem, @added_at, @added_by, @expires_at, @note)`,
      ).run(row);
      return rowToKey(row);
    },
    remove(keyId) {
      const matches = rows().filter((row) => row.key_id.startsWith(keyId) || row.name === keyId);
      const [match] = matches;
      if (match === undefined)
        throw new AppError('not-found', 'No trusted key has this id or name.');
      if (matches.length > 1) {
        throw new AppError('conflict', 'Several trusted keys fit. Give the whole key id.');
      }
      db.prepare('DELETE FROM trusted_keys WHERE key_id = ?').run(match.key_id);
      return rowToKey(match);
    },
  };
}

/**
 * Reads a PEM public key (ECDSA P-256, P-384 or P-521) or X.509 certificate. The key id is the hex SHA-256 of
 * the public key's PEM text, as OpenSSF Model Signing writes its hint; of a certificate, of its DER bytes.
 */
export function parseTrustAnchor(
  name: string,
  text: string,
): TrustAnchor & { readonly algorithm: string; readonly expiresAt: string | undefined } {
  if (/PRIVATE KEY-----/.test(text)) {
    throw new AppError(
      'invalid-input',
      'This file holds a private key. Add the public key instead, and keep the private key off this machine.',
    );
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) {
    const certificate = attempt(() => new X509Certificate(text));
    return {
      name,
      kind: 'certificate',
      keyId: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      pem: certificate.toString(),
      algorithm: certificate.ca
        ? `CA, ${authorityAlgorithm(certificate.publicKey)}`
        : keyAlgorithm(certificate.publicKey),
      expiresAt: new Date(certificate.validTo).toISOString(),
    };
  }
  const key = attempt(() => createPublicKey(text));
  const pem = String(key.export({ type: 'spki', format: 'pem' }));
  return {
    name,
    kind: 'key',
    keyId: createHash('sha256').update(pem).digest('hex'),
    pem,
    algorithm: keyAlgorithm(key),
    expiresAt: undefined,
  };
}

interface KeyRow {
  readonly key_id: string;
  readonly name: string;
  readonly kind: 'key' | 'certificate';
  readonly algorithm: string;
  readonly pem: string;
  readonly added_at: string;
  readonly added_by: string;
  readonly expires_at: string | null;
  readonly note: string | null;
}

/** A certificate authority may use RSA for its own signatures; the signer below it must still use ECDSA. */
function authorityAlgorithm(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa')
    return `RSA ${key.asymmetricKeyDetails?.modulusLength ?? ''}`.trim();
  return keyAlgorithm(key);
}

const curveNames: Readonly<Record<string, string>> = {
  prime256v1: 'ECDSA P-256',
  secp384r1: 'ECDSA P-384',
  secp521r1: 'ECDSA P-521',
};

function keyAlgorithm(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const named = curveNames[curve];
  if (key.asymmetricKeyType === 'ec' && named !== undefined) return named;
  throw new AppError(
    'unsupported',
    'Bundle signatures use ECDSA on P-256, P-384 or P-521; this key is of another kind.',
  );
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new AppError('invalid-input', 'This file is not a PEM public key or certificate.', {
      cause,
    });
  }
}

function rowToKey(row: KeyRow): TrustedKey {
  return {
    keyId: row.key_id,
    name: row.name,
    kind: row.kind,
    algorithm: row.algorithm,
    addedAt: row.added_at,
    addedBy: row.added_by,
    expiresAt: row.expires_at,
    note: row.note,
  };
}
