/**
 * Keys for what is smaller than an object, such as the rows of one person: random, one table, wrapped as the keys of objects
 * are, and destroyed one by one. FORMAT.md says how. A rotation of the models key calls `rotate` as it does for objects.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import type { Secret } from '#platform/secret.ts';
import { deriveKey, type Purpose } from './purposes.ts';
import { unwrap, wrap } from './slots.ts';

/** A step of `catalog.db`. */
export const dataKeysSchema = `
  CREATE TABLE data_keys (
    id TEXT PRIMARY KEY,
    wrapped_key BLOB NOT NULL,
    epoch INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

export interface DataKeys {
  /** A new key under a new id (16 bytes, hex). Part of the caller's transaction, if there is one. */
  create(): { readonly id: string; readonly key: Uint8Array };
  /** Undefined when the key was destroyed or never was. */
  open(id: string): Uint8Array | undefined;
  /** How many of them there were. The caller scrubs the database afterwards. */
  destroy(ids: readonly string[]): number;
  /** Wraps every key anew, in one transaction; does nothing when that has happened. */
  rotate(modelsKey: Secret<Purpose>, epoch: number): void;
  close(): void;
}

export function createDataKeys(deps: {
  readonly catalog: Database;
  readonly modelsKey: Secret<Purpose> | undefined;
  /** Generation of the models key. */
  readonly epoch: number;
}): DataKeys {
  const { catalog } = deps;
  let { epoch } = deps;
  let wrapKey = deps.modelsKey === undefined ? undefined : wrapKeyOf(deps.modelsKey);
  const insert = catalog.prepare('INSERT INTO data_keys VALUES (?, ?, ?)');
  const find = catalog.prepare<[string], DataKeyRow>('SELECT * FROM data_keys WHERE id = ?');
  const remove = catalog.prepare('DELETE FROM data_keys WHERE id = ?');

  function held(): Uint8Array {
    if (wrapKey === undefined)
      throw new AppError(
        'forbidden',
        'Your key slot does not hold the key of the models, which kept data is under too.',
      );
    return wrapKey;
  }

  return {
    create() {
      const id = newId();
      const key = new Uint8Array(randomBytes(32));
      insert.run(id, wrap(held(), key, aadOf(id, epoch)), epoch);
      return { id, key };
    },
    open(id) {
      const row = find.get(id);
      return row === undefined ? undefined : unwrapRow(held(), row);
    },
    destroy: (ids) => ids.reduce((sum, id) => sum + remove.run(id).changes, 0),
    rotate(modelsKey, to) {
      const from = held();
      const next = wrapKeyOf(modelsKey);
      const old = catalog
        .prepare<[number], DataKeyRow>('SELECT * FROM data_keys WHERE epoch < ?')
        .all(to);
      const update = catalog.prepare(
        'UPDATE data_keys SET wrapped_key = ?, epoch = ? WHERE id = ?',
      );
      catalog.transaction(() => {
        for (const row of old) {
          const key = unwrapRow(from, row);
          update.run(wrap(next, key, aadOf(row.id, to)), to, row.id);
          key.fill(0);
        }
      })();
      from.fill(0);
      wrapKey = next;
      epoch = to;
    },
    close() {
      wrapKey?.fill(0);
      wrapKey = undefined;
    },
  };
}

interface DataKeyRow {
  readonly id: string;
  readonly wrapped_key: Uint8Array;
  readonly epoch: number;
}

function wrapKeyOf(modelsKey: Secret<Purpose>): Uint8Array {
  return deriveKey(modelsKey, 'data keys v1');
}

function unwrapRow(wrapKey: Uint8Array, row: DataKeyRow): Uint8Array {
  const key = unwrap(wrapKey, row.wrapped_key, aadOf(row.id, row.epoch));
  if (key === undefined)
    throw new AppError('tampered', 'The key of kept data was changed in the catalog.');
  return key;
}

/** Milliseconds (6) ‖ random (10): what is made together lies together in the tables, which matters when there are a million. */
function newId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  return bytes.toString('hex');
}

/** Key id (16) ‖ epoch (4, big-endian). */
function aadOf(id: string, epoch: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.write(id, 0, 'hex');
  bytes.writeUInt32BE(epoch, 16);
  return bytes;
}
