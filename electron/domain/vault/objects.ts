/**
 * The encrypted objects: one FLOE file per stored file, each under a random key of its own that `catalog.db` holds wrapped.
 *
 * Guarantee: a set of objects and the rows that speak of it appear together or not at all, wherever the process is killed.
 *   1. `stage` writes `staging/<id>.part` and syncs it.
 *   2. `commit` inserts the rows as `staging` (first transaction), renames the files into `objects/`, syncs the folders,
 *      then makes the rows `live` in one transaction with the caller's own rows.
 *   3. `recoverObjects`, at open, takes back what is still `staging`, sweeps `staging/`, and moves files that no row knows
 *      into `quarantine/`: they are never deleted, because a row may be missing through a fault of ours.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import { syncDirectory } from '#platform/atomic-file.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { Secret } from '#platform/secret.ts';
import type { Content } from '#platform/content.ts';
import { step } from '#platform/steps.ts';
import {
  createFloeWriter,
  openFloeFile,
  type FloeFileReader,
  type FloeWriter,
} from '#domain/floe/index.ts';
import { destroyObjectKeys, finishErasures, type DestroyedKeys } from './erasure.ts';
import type { Purpose } from './purposes.ts';
import { createWrappingKey, type WrappedKey } from './wrapping-key.ts';

export const objectsSchema = `
  CREATE TABLE objects (
    id TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    wrapped_key BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('staging', 'live')),
    created_at TEXT NOT NULL
  ) STRICT;
`;

/** Left free when room is checked, so that the log and the catalog can still be written. */
const reserveBytes = 64 * 1024 * 1024;

export interface StagedObject {
  readonly objectId: string;
  readonly sizeBytes: number;
  /** SHA-256 of the plaintext, hex. */
  readonly sha256: string;
  readonly wrappedKey: Uint8Array;
}

/** What an inference child needs to decrypt one object by itself: an open file, its key, and nothing else of the vault. */
export interface ObjectHandOver {
  readonly path: string;
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
  readonly sizeBytes: number;
}

export interface OpenObject extends FloeFileReader {
  close(): Promise<void>;
}

export interface ObjectStore {
  /** Throws `io` when the medium has not got that much room. */
  requireSpace(sizeBytes: number): Promise<void>;
  /** Hashes and encrypts in one pass, in bounded memory; on failure nothing is left. */
  stage(options: {
    readonly source: Content;
    readonly onBytes?: (count: number) => void;
    readonly signal?: AbortSignal;
  }): Promise<StagedObject>;
  /** Stores all of them, with the caller's rows in the same transaction, or none. */
  commit(staged: readonly StagedObject[], insideTransaction: () => void): Promise<void>;
  discard(staged: readonly StagedObject[]): Promise<void>;
  open(objectId: string): Promise<OpenObject>;
  handOver(objectId: string): ObjectHandOver;
  /** The same for an object that is staged and may never be committed. */
  handOverStaged(staged: StagedObject): ObjectHandOver;
  openStaged(staged: StagedObject): Promise<OpenObject>;
  /** Wraps every object's key anew, in one transaction; does nothing when that has happened. */
  rotate(modelsKey: Secret<Purpose>, epoch: number): void;
  /** Destroys their keys, inside the caller's transaction; `finishErasures` removes what is left of them. */
  destroyKeys(objectIds: readonly string[]): DestroyedKeys;
  finishErasures(): Promise<void>;
  /** Destroys the key that opens the keys, and ends the thread that hashes. */
  close(): void;
}

export interface RecoveryReport {
  /** Objects of imports that had not been finished. */
  readonly rolledBack: number;
  /** Half-written files removed from `staging/`. */
  readonly swept: number;
  /** Files that no row knows, moved to `quarantine/`. */
  readonly quarantined: number;
}

interface ObjectRow extends WrappedKey {
  readonly size_bytes: number;
}

export function createObjectStore(deps: {
  readonly dir: string;
  readonly vaultId: string;
  readonly catalog: Database;
  readonly modelsKey: Secret<Purpose> | undefined;
  /** Generation of the models key. */
  readonly epoch: number;
  readonly clock: Clock;
}): ObjectStore {
  const { dir, catalog, vaultId } = deps;
  const wrapping = createWrappingKey('objects', {
    ...deps,
    refusal:
      'Your key slot does not hold the key of the models. An auditor can read every record and no model.',
  });
  /** Kept for the next object; imports at the same time have one each. */
  const idle: FloeWriter[] = [];
  const partPath = (id: string): string => join(dir, 'staging', `${id}.part`);

  function handOver(objectId: string): ObjectHandOver {
    const row = catalog
      .prepare<[string], ObjectRow>(
        "SELECT id, size_bytes, wrapped_key, epoch FROM objects WHERE id = ? AND state = 'live'",
      )
      .get(objectId);
    if (row === undefined) throw new AppError('not-found', 'The catalog knows no such object.');
    const objectKey = wrapping.unwrap(row);
    if (objectKey === undefined)
      throw new AppError('tampered', 'The key of a stored object was changed in the catalog.');
    return {
      path: objectPath(dir, objectId),
      key: objectKey,
      aad: objectAad(vaultId, objectId),
      sizeBytes: row.size_bytes,
    };
  }

  /** Of an object that is staged. */
  function ownKey(objectId: string, wrappedKey: Uint8Array): Uint8Array {
    const { epoch } = wrapping;
    const key = wrapping.unwrap({ id: objectId, wrapped_key: wrappedKey, epoch });
    if (key === undefined)
      throw new AppError(
        'conflict',
        'The keys of the vault were rotated while these files were read. Nothing was stored; try again.',
      );
    return key;
  }

  function handOverStaged({ objectId, sizeBytes, wrappedKey }: StagedObject): ObjectHandOver {
    const key = ownKey(objectId, wrappedKey);
    return { path: partPath(objectId), key, aad: objectAad(vaultId, objectId), sizeBytes };
  }

  async function discard(staged: readonly StagedObject[]): Promise<void> {
    for (const { objectId } of staged) await rm(partPath(objectId), { force: true });
  }

  return {
    async requireSpace(sizeBytes) {
      const { bavail, bsize } = await statfs(dir);
      const missing = sizeBytes + reserveBytes - bavail * bsize;
      if (missing > 0) {
        throw new AppError(
          'io',
          `The disk of the vault is full: about ${Math.ceil(missing / 1e6)} MB more are needed. Nothing was changed; make room and try again.`,
          {
            details: { system: 'ENOSPC', missingBytes: missing },
          },
        );
      }
    },

    async stage({ source, onBytes, signal }) {
      const objectId = randomBytes(16).toString('hex');
      const objectKey = randomBytes(32);
      const path = partPath(objectId);
      const wrappedKey = wrapping.wrap(objectId, objectKey);
      const writer = idle.pop() ?? createFloeWriter();
      try {
        const written = await writer.write({
          path,
          source,
          key: objectKey,
          aad: objectAad(vaultId, objectId),
          ...(onBytes === undefined ? {} : { onBytes }),
          ...(signal === undefined ? {} : { signal }),
        });
        step('import: object staged');
        return { objectId, ...written, wrappedKey };
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        objectKey.fill(0);
        const isWanted = wrapping.isHeld && idle.length === 0;
        if (isWanted && writer.hasher.isUsable()) idle.push(writer);
        else writer.hasher.close();
      }
    },

    async commit(staged, insideTransaction) {
      for (const { objectId, wrappedKey } of staged) ownKey(objectId, wrappedKey).fill(0);
      const insert = catalog.prepare(
        "INSERT INTO objects (id, size_bytes, sha256, wrapped_key, epoch, state, created_at) VALUES (?, ?, ?, ?, ?, 'staging', ?)",
      );
      const createdAt = deps.clock().toISOString();
      catalog.transaction(() => {
        for (const { objectId, sizeBytes, sha256, wrappedKey } of staged)
          insert.run(objectId, sizeBytes, sha256, wrappedKey, wrapping.epoch, createdAt);
      })();
      step('import: rows staging');
      try {
        const folders = new Set<string>();
        for (const { objectId } of staged) {
          const folder = join(dir, 'objects', objectId.slice(0, 2));
          await makeFolderIn(folder);
          await rename(partPath(objectId), objectPath(dir, objectId));
          step('import: object in place');
          folders.add(folder);
        }
        for (const folder of [...folders, join(dir, 'objects'), join(dir, 'staging')])
          await syncDirectory(folder);
        step('import: folders synced');
        const makeLive = catalog.prepare("UPDATE objects SET state = 'live' WHERE id = ?");
        catalog.transaction(() => {
          for (const { objectId } of staged)
            if (makeLive.run(objectId).changes !== 1)
              throw new AppError('internal', 'A stored object vanished from the catalog.');
          insideTransaction();
        })();
        step('import: rows live');
      } catch (error) {
        await discard(staged);
        // Only its own: another import may be at the same point. What cannot be taken back now is at the next opening.
        const own = staged.map(({ objectId }) => objectId);
        await takeBack(dir, catalog, own).catch(() => undefined);
        throw error;
      }
    },

    discard,
    handOver,

    handOverStaged,

    open: async (objectId) => openHandedOver(handOver(objectId)),
    openStaged: async (staged) => openHandedOver(handOverStaged(staged)),

    rotate: (modelsKey, epoch) => wrapping.rotate(modelsKey, epoch),

    close() {
      wrapping.close();
      for (const { hasher } of idle.splice(0)) hasher.close();
    },

    destroyKeys: (objectIds) => destroyObjectKeys(catalog, objectIds),
    finishErasures: () => finishErasures(dir, catalog),
  };
}

async function openHandedOver({ path, key, aad, sizeBytes }: ObjectHandOver): Promise<OpenObject> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new AppError(
      'corrupt',
      'The file of a stored object is missing from the vault folder. Restore it from a copy of the vault.',
      { cause },
    );
  });
  try {
    return {
      ...(await openFloeFile({ fd: file.fd, key, aad, sizeBytes })),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    key.fill(0);
  }
}

/** Brings the folders and the catalog back into agreement. Needs the catalog key only, so an auditor's sign-in does it too. */
export async function recoverObjects(dir: string, catalog: Database): Promise<RecoveryReport> {
  const unfinished = catalog
    .prepare<[], string>("SELECT id FROM objects WHERE state = 'staging'")
    .pluck()
    .all();
  // Tools that copy a vault like to leave empty folders out.
  for (const name of ['objects', 'staging', 'quarantine'])
    await mkdir(join(dir, name), { recursive: true, mode: 0o700 });
  await takeBack(dir, catalog, unfinished);
  await finishErasures(dir, catalog);

  const parts = await readdir(join(dir, 'staging'));
  for (const part of parts) {
    await rm(join(dir, 'staging', part), { force: true, recursive: true });
    step('open: half-written file removed');
  }

  const known = new Set(catalog.prepare<[], string>('SELECT id FROM objects').pluck().all());
  let quarantined = 0;
  const setApart = async (path: string): Promise<void> => {
    await rename(path, join(dir, 'quarantine', basename(path)));
    step('open: stray file set apart');
    quarantined += 1;
  };
  for (const folder of await readdir(join(dir, 'objects'), { withFileTypes: true })) {
    const path = join(dir, 'objects', folder.name);
    if (!folder.isDirectory()) await setApart(path);
    else
      for (const name of await readdir(path))
        if (!known.has(name)) await setApart(join(path, name));
  }
  if (quarantined > 0) await syncDirectory(join(dir, 'quarantine'));
  return { rolledBack: unfinished.length, swept: parts.length, quarantined };
}

/** Not with its parents: in the place of a vault that is gone for a moment nothing may be made. */
async function makeFolderIn(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function takeBack(dir: string, catalog: Database, ids: readonly string[]): Promise<void> {
  // A folder that is gone for a moment hides files that its rows must still know when it is back.
  if (ids.length > 0) await syncDirectory(join(dir, 'objects'));
  for (const id of ids) {
    await rm(objectPath(dir, id), { force: true });
    step('open: unfinished object removed');
  }
  const remove = catalog.prepare("DELETE FROM objects WHERE id = ? AND state = 'staging'");
  catalog.transaction(() => {
    for (const id of ids) remove.run(id);
  })();
  if (ids.length > 0) step('open: unfinished rows removed');
}

function objectPath(dir: string, objectId: string): string {
  return join(dir, 'objects', objectId.slice(0, 2), objectId);
}

/** Vault id ‖ object id, 16 bytes each: a file moved to another vault or another name does not open. */
function objectAad(vaultId: string, objectId: string): Uint8Array {
  return Buffer.from(vaultId + objectId, 'hex');
}
