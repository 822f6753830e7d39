/**
 * The key that wraps the keys of one table of `catalog.db`: derived from the models key, replaced when that is rotated, and
 * missing in a slot without it. FORMAT.md §5 says how a key is wrapped.
 */
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import type { Secret } from '#platform/secret.ts';
import { deriveKey, type Purpose } from './purposes.ts';
import { unwrap, wrap } from './slots.ts';

/** A row of the table; the id is 16 bytes, hex. */
export interface WrappedKey {
  readonly id: string;
  readonly wrapped_key: Uint8Array;
  readonly epoch: number;
}

export interface WrappingKey {
  /** Generation of the models key. */
  readonly epoch: number;
  /** Whether the slot holds the models key; without it everything below throws `forbidden`. */
  readonly isHeld: boolean;
  wrap(id: string, key: Uint8Array): Uint8Array;
  /** Undefined when the row was changed by somebody without the key. */
  unwrap(row: WrappedKey): Uint8Array | undefined;
  /** Wraps every key of the table anew, in one transaction; does nothing when that has happened. Rows that do not open stay as they are. */
  rotate(modelsKey: Secret<Purpose>, epoch: number): void;
  close(): void;
}

const uses = { objects: 'object keys v1', data_keys: 'data keys v1' } as const;

export function createWrappingKey(
  table: keyof typeof uses,
  deps: {
    readonly catalog: Database;
    readonly modelsKey: Secret<Purpose> | undefined;
    readonly epoch: number;
    /** What somebody without the models key is told. */
    readonly refusal: string;
  },
): WrappingKey {
  const { catalog } = deps;
  let { epoch } = deps;
  let held = deps.modelsKey === undefined ? undefined : deriveKey(deps.modelsKey, uses[table]);

  function key(): Uint8Array {
    if (held === undefined) throw new AppError('forbidden', deps.refusal);
    return held;
  }

  function unwrapRow(row: WrappedKey): Uint8Array | undefined {
    return unwrap(key(), row.wrapped_key, aadOf(row.id, row.epoch));
  }

  return {
    get epoch() {
      return epoch;
    },
    get isHeld() {
      return held !== undefined;
    },
    wrap: (id, inner) => wrap(key(), inner, aadOf(id, epoch)),
    unwrap: unwrapRow,
    rotate(modelsKey, to) {
      const from = key();
      const next = deriveKey(modelsKey, uses[table]);
      const old = catalog
        .prepare<[number], WrappedKey>(
          `SELECT id, wrapped_key, epoch FROM ${table} WHERE epoch < ?`,
        )
        .all(to);
      const update = catalog.prepare(`UPDATE ${table} SET wrapped_key = ?, epoch = ? WHERE id = ?`);
      catalog.transaction(() => {
        for (const row of old) {
          const inner = unwrapRow(row);
          // Nobody could open it before either, and whoever uses it is told. One bad row must not keep all keys from moving on.
          if (inner === undefined) continue;
          update.run(wrap(next, inner, aadOf(row.id, to)), to, row.id);
          inner.fill(0);
        }
      })();
      from.fill(0);
      held = next;
      epoch = to;
    },
    close() {
      held?.fill(0);
      held = undefined;
    },
  };
}

/** Id (16) ‖ epoch (4, big-endian). */
function aadOf(id: string, epoch: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.write(id, 0, 'hex');
  bytes.writeUInt32BE(epoch, 16);
  return bytes;
}
