/**
 * Keys for what is smaller than an object, such as the rows of one person: random, one table, wrapped as the keys of objects
 * are, and destroyed one by one. FORMAT.md says how. A rotation of the models key calls `rotate` as it does for objects.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import type { Secret } from '#platform/secret.ts';
import type { Purpose } from './purposes.ts';
import { createWrappingKey, type WrappedKey } from './wrapping-key.ts';

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
  const wrapping = createWrappingKey('data_keys', {
    ...deps,
    refusal: 'Your key slot does not hold the key of the models, which kept data is under too.',
  });
  const insert = catalog.prepare('INSERT INTO data_keys VALUES (?, ?, ?)');
  const find = catalog.prepare<[string], WrappedKey>('SELECT * FROM data_keys WHERE id = ?');
  const remove = catalog.prepare('DELETE FROM data_keys WHERE id = ?');
  return {
    create() {
      const id = newId();
      const key = new Uint8Array(randomBytes(32));
      insert.run(id, wrapping.wrap(id, key), wrapping.epoch);
      return { id, key };
    },
    open(id) {
      const row = find.get(id);
      if (row === undefined) return undefined;
      const key = wrapping.unwrap(row);
      if (key === undefined)
        throw new AppError('tampered', 'The key of kept data was changed in the catalog.');
      return key;
    },
    destroy: (ids) => ids.reduce((sum, id) => sum + remove.run(id).changes, 0),
    rotate: (modelsKey, epoch) => wrapping.rotate(modelsKey, epoch),
    close: () => wrapping.close(),
  };
}

/** Milliseconds (6) ‖ random (10): what is made together lies together in the tables, which matters when there are a million. */
function newId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  return bytes.toString('hex');
}
