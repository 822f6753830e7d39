/**
 * The people that kept rows speak of. Each has a random key; who has which is found by a blind index, HMAC-SHA-256 of the id
 * under a key of its own, so that the id itself stands nowhere. FORMAT.md §2.
 */
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Database } from '#platform/database.ts';
import type { DataKeys } from '#domain/vault/index.ts';

export interface SubjectKey {
  readonly id: string;
  readonly key: Uint8Array;
}

export interface Subjects {
  /** Undefined when nothing is kept on the person. */
  find(subject: string): SubjectKey | undefined;
  /** Makes the key of the blind index, once for the vault. */
  prepare(): void;
  /** Makes a key for a person who has none. Part of the caller's transaction; `prepare` comes first. */
  findOrCreate(subject: string): SubjectKey;
  /** Destroys the keys of people of whom no row is kept any more; all of them, without their ids being known. */
  destroyUnused(): number;
}

export function createSubjects(catalog: Database, keys: DataKeys): Subjects {
  const findKey = catalog
    .prepare<[Uint8Array], string>('SELECT key_id FROM subjects WHERE blind_index = ?')
    .pluck();
  const findIndexKey = catalog.prepare<[], string>('SELECT key_id FROM subject_index').pluck();
  const insert = catalog.prepare('INSERT INTO subjects VALUES (?, ?)');
  let indexKey: KeyObject | undefined;

  function find(index: Uint8Array | undefined): SubjectKey | undefined {
    const id = index === undefined ? undefined : findKey.get(index);
    const key = id === undefined ? undefined : keys.open(id);
    return id === undefined || key === undefined ? undefined : { id, key };
  }

  /** Random and not derived: a rotation of the models key wraps it anew, and every index stays what it is. */
  function blind(subject: string): Uint8Array | undefined {
    indexKey ??= readIndexKey();
    if (indexKey === undefined) return undefined;
    return createHmac('sha256', indexKey).update(subject.normalize('NFC')).digest();
  }

  function readIndexKey(): KeyObject | undefined {
    const key = keys.open(findIndexKey.get() ?? '');
    if (key === undefined) return undefined;
    const made = createSecretKey(key);
    key.fill(0);
    return made;
  }

  return {
    find: (subject) => find(blind(subject)),
    prepare: catalog.transaction(() => {
      if (findIndexKey.get() !== undefined) return;
      const made = keys.create();
      made.key.fill(0);
      catalog.prepare('INSERT INTO subject_index VALUES (0, ?)').run(made.id);
    }),
    findOrCreate(subject) {
      const index = blind(subject);
      const known = find(index);
      if (known !== undefined) return known;
      const made = keys.create();
      insert.run(index, made.id);
      return made;
    },
    destroyUnused() {
      const unused = catalog
        .prepare<[], string>(
          'SELECT key_id FROM subjects WHERE NOT EXISTS (SELECT 1 FROM kept_subjects k WHERE k.key_id = subjects.key_id)',
        )
        .pluck()
        .all();
      const remove = catalog.prepare('DELETE FROM subjects WHERE key_id = ?');
      for (const id of unused) remove.run(id);
      return keys.destroy(unused);
    },
  };
}

/**
 * What the log says in place of the id: SHA-256(salt ‖ id), where the salt is HMAC-SHA-256(subject's key, index of the
 * announcing entry as text). With the key, the salt can be had again; when the key is destroyed, only who was given the salt
 * can still tell whom the entry is about.
 */
export function commitTo(
  subject: string,
  { key }: SubjectKey,
  logIndex: number,
): { readonly salt: string; readonly commitment: string } {
  const salt = createHmac('sha256', key).update(`strongroom commitment v1:${logIndex}`).digest();
  const commitment = createHash('sha256').update(salt).update(subject.normalize('NFC')).digest();
  return { salt: salt.toString('hex'), commitment: `sha256:${commitment.toString('hex')}` };
}
