/** Whose bundle signatures this vault accepts. */
import { AppError } from '#shared/errors.ts';
import {
  sigstoreIdentity,
  type SigstoreIdentity,
  type TrustedKey,
} from '#shared/contract/trust.ts';
import type { SignatureResult } from '#shared/contract/bundles.ts';
import type { SignerTrust } from '#shared/contract/models.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { parseTrustAnchor, type TrustAnchor } from './trust-anchor.ts';

export interface TrustList {
  list(): TrustedKey[];
  anchors(): TrustAnchor[];
  add(entry: {
    readonly name: string;
    /** A PEM key or certificate, or the JSON of a Sigstore trusted root. */
    readonly text: string;
    readonly role: string | undefined;
    readonly identity: SigstoreIdentity | undefined;
    readonly by: string;
    readonly note: string | undefined;
  }): TrustedKey;
  /** `keyId` may be shortened as long as it names one key. */
  remove(keyId: string): TrustedKey;
  /** What a signature that was verified once is worth today. */
  stateOf(signature: SignatureResult): SignerTrust;
}

export function createTrustList(db: Database, clock: Clock): TrustList {
  const rows = (): AnchorRow[] =>
    db
      .prepare<[], AnchorRow>(
        'SELECT * FROM trust_anchors WHERE removed_at IS NULL ORDER BY name, key_id',
      )
      .all();
  const endOf = db.prepare<
    [string],
    Pick<AnchorRow, 'expires_at'> & { readonly removed_at: string | null }
  >('SELECT expires_at, removed_at FROM trust_anchors WHERE key_id = ?');
  return {
    list: () => rows().map(rowToKey),
    anchors: () => rows().map(rowToAnchor),
    add({ name, text, role, identity, by, note }) {
      const parsed = parseTrustAnchor(name, text, { role, identity });
      const known = rows().find((row) => row.key_id === parsed.keyId);
      if (known !== undefined) {
        throw new AppError(
          'conflict',
          `This key is trusted already, under the name ${known.name}.`,
        );
      }
      const row: AnchorRow = {
        key_id: parsed.keyId,
        name,
        kind: parsed.kind,
        role: parsed.role,
        algorithm: parsed.algorithm,
        pem: parsed.pem,
        identity: parsed.identity === null ? null : JSON.stringify(parsed.identity),
        added_at: clock().toISOString(),
        added_by: by,
        expires_at: parsed.expiresAt ?? null,
        note: note ?? null,
      };
      // Who comes back takes the place of the row that removal left.
      db.prepare(
        `INSERT OR REPLACE INTO trust_anchors VALUES (@key_id, @name, @kind, @role, @algorithm, @pem, @identity,
           @added_at, @added_by, @expires_at, @note, NULL)`,
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
      db.prepare('UPDATE trust_anchors SET removed_at = ? WHERE key_id = ?').run(
        clock().toISOString(),
        match.key_id,
      );
      return rowToKey(match);
    },
    stateOf({ status, anchorId, keyId, expiresAt }) {
      if (status !== 'verified') return 'never';
      const row = endOf.get(anchorId ?? keyId ?? '');
      if (row === undefined || row.removed_at !== null) return 'removed';
      const end = expiresAt ?? row.expires_at;
      return end !== null && new Date(end) < clock() ? 'expired' : 'trusted';
    },
  };
}

interface AnchorRow {
  readonly key_id: string;
  readonly name: string;
  readonly kind: TrustAnchor['kind'];
  readonly role: string | null;
  readonly algorithm: string;
  readonly pem: string;
  readonly identity: string | null;
  readonly added_at: string;
  readonly added_by: string;
  readonly expires_at: string | null;
  readonly note: string | null;
}

function rowToAnchor({ key_id: keyId, name, kind, role, pem, identity }: AnchorRow): TrustAnchor {
  return { keyId, name, kind, role, pem, identity: readIdentity(identity) };
}

function readIdentity(text: string | null): SigstoreIdentity | null {
  return text === null ? null : sigstoreIdentity.parse(JSON.parse(text));
}

function rowToKey(row: AnchorRow): TrustedKey {
  return {
    keyId: row.key_id,
    name: row.name,
    kind: row.kind,
    role: row.role,
    identity: readIdentity(row.identity),
    algorithm: row.algorithm,
    addedAt: row.added_at,
    addedBy: row.added_by,
    expiresAt: row.expires_at,
    note: row.note,
  };
}
