/** Who may use the vault. A row here gives a name its role; the key slot in the vault gives it the keys. */
import { AppError } from '#shared/errors.ts';
import { user, type User } from '#shared/contract/users.ts';
import type { Role } from '#shared/roles.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { createQueue } from '#platform/queue.ts';
import { step } from '#platform/steps.ts';

export const minimumPasswordLength = 8;

/** The part of the vault that users need: slots by id. `before` is called when the change is ready and not yet made. */
export interface KeySlots {
  add(
    slot: { readonly user: string; readonly password: string; readonly role: Role },
    before: BeforeChange,
  ): Promise<string>;
  remove(slotId: string, before: BeforeChange): Promise<void>;
  setRole(slotId: string, role: Role, before: BeforeChange): Promise<void>;
  setPassword(slotId: string, password: string, before: BeforeChange): Promise<void>;
}
type BeforeChange = (change: string, slotId: string) => void;

/** A row as it will be. */
export interface UserEntry {
  readonly name: string;
  readonly role: Role;
  readonly state: User['state'];
  readonly slotId: string | null;
}

/**
 * A slot and its row are two places. This is called with what the row will be before the slot changes; whoever writes that down
 * can `apply` it after a kill, if the slot has changed. `change` is undefined for a user who has no slot.
 */
export type BeforeAct = (change: string | undefined, row: UserEntry) => void;

export interface Users {
  list(): User[];
  find(name: string): User | undefined;
  /** The user that a slot opened the vault for; a slot without a user is a damaged vault. */
  bySlot(slotId: string): User;
  /** Records the first administrator, whose slot the vault made at creation. */
  addFirst(name: string, slotId: string): User;
  add(
    entry: { readonly name: string; readonly role: Role; readonly password: string },
    before: BeforeAct,
  ): Promise<User>;
  disable(name: string, before: BeforeAct): Promise<User>;
  enable(name: string, password: string, before: BeforeAct): Promise<User>;
  setRole(name: string, role: Role, before: BeforeAct): Promise<User>;
  setPassword(name: string, password: string, before: BeforeAct): Promise<void>;
  signedIn(name: string): void;
  /** Makes `name` an active administrator with a new password. */
  recover(name: string, password: string, before: BeforeAct): Promise<User>;
  /** Writes the row, which may be there already. */
  apply(row: UserEntry): User;
}

export function createUsers(deps: {
  readonly db: Database;
  readonly slots: KeySlots;
  readonly clock: Clock;
}): Users {
  const { db, slots, clock } = deps;
  const now = (): string => clock().toISOString();
  // Slots and rows are two places: one act at a time, or two of them undo each other.
  const inTurn = createQueue();

  const byName = db.prepare<[string], UserRow>('SELECT * FROM users WHERE name_key = ?');

  const row = (name: string): UserRow | undefined => byName.get(userKey(name));

  function existing(name: string): UserRow {
    const found = row(name);
    if (found === undefined) throw new AppError('not-found', `There is no user named ${name}.`);
    return found;
  }

  function shown(name: string): User {
    return rowToUser(existing(name));
  }

  /** Nobody may lock everybody out of administration. */
  function keepAnAdministrator(leaving: UserRow): void {
    if (leaving.role !== 'administrator' || leaving.state !== 'active') return;
    const others = db
      .prepare<[string], { n: number }>(
        "SELECT count(*) AS n FROM users WHERE role = 'administrator' AND state = 'active' AND name_key <> ?",
      )
      .get(leaving.name_key);
    if ((others?.n ?? 0) === 0) {
      throw new AppError(
        'conflict',
        `${leaving.name} is the last active administrator. Make somebody else administrator first.`,
      );
    }
  }

  function apply({ name, role, state, slotId }: UserEntry): User {
    db.prepare(
      `INSERT INTO users (name_key, name, role, state, slot_id, created_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (name_key) DO UPDATE SET role = excluded.role, state = excluded.state, slot_id = excluded.slot_id`,
    ).run(userKey(name), name.normalize('NFC'), role, state, slotId, now());
    step('users: row written');
    return shown(name);
  }

  /** A slot of its own for the user, and the row that goes with it. */
  async function giveSlot(
    user: Omit<UserEntry, 'slotId'> & { readonly password: string },
    before: BeforeAct,
  ): Promise<User> {
    const { name, role, state, password } = user;
    const slotId = await slots.add({ user: name, password, role }, (change, id) =>
      before(change, { name, role, state, slotId: id }),
    );
    return apply({ name, role, state, slotId });
  }

  return {
    list: () =>
      db.prepare<[], UserRow>('SELECT * FROM users ORDER BY name_key').all().map(rowToUser),
    find: (name) => {
      const found = row(name);
      return found === undefined ? undefined : rowToUser(found);
    },
    bySlot(slotId) {
      const found = db
        .prepare<[string], UserRow>('SELECT * FROM users WHERE slot_id = ?')
        .get(slotId);
      if (found === undefined) {
        throw new AppError('tampered', 'The vault opened for a key slot that belongs to no user.');
      }
      return rowToUser(found);
    },
    addFirst: (name, slotId) => apply({ name, role: 'administrator', state: 'active', slotId }),
    add: ({ name, role, password }, before) =>
      inTurn(async () => {
        if (row(name) !== undefined) {
          throw new AppError('conflict', `A user named ${name} exists already.`);
        }
        checkPassword(password);
        return giveSlot({ name, role, state: 'active', password }, before);
      }),
    disable: (name, before) =>
      inTurn(async () => {
        const found = existing(name);
        keepAnAdministrator(found);
        const row = {
          name: found.name,
          role: found.role,
          state: 'disabled',
          slotId: null,
        } as const;
        if (found.slot_id === null) before(undefined, row);
        else await slots.remove(found.slot_id, (change) => before(change, row));
        return apply(row);
      }),
    enable: (name, password, before) =>
      inTurn(async () => {
        const found = existing(name);
        if (found.state === 'active')
          throw new AppError('conflict', `${found.name} is active already.`);
        checkPassword(password);
        return giveSlot({ name: found.name, role: found.role, state: 'active', password }, before);
      }),
    setRole: (name, role, before) =>
      inTurn(async () => {
        const found = existing(name);
        if (role !== 'administrator') keepAnAdministrator(found);
        const row = { ...entryOf(found), role };
        if (found.slot_id === null) before(undefined, row);
        else await slots.setRole(found.slot_id, role, (change) => before(change, row));
        return apply(row);
      }),
    setPassword: (name, password, before) =>
      inTurn(async () => {
        const found = existing(name);
        checkPassword(password);
        if (found.slot_id === null) {
          throw new AppError(
            'conflict',
            `${found.name} is disabled. Enable the user to set a password.`,
          );
        }
        await slots.setPassword(found.slot_id, password, (change) =>
          before(change, entryOf(found)),
        );
      }),
    signedIn(name) {
      db.prepare('UPDATE users SET last_sign_in = ? WHERE name_key = ?').run(now(), userKey(name));
    },
    recover: (name, password, before) =>
      inTurn(async () => {
        const known = row(name)?.name ?? name;
        return giveSlot({ name: known, role: 'administrator', state: 'active', password }, before);
      }),
    apply,
  };
}

/** Length is the only rule (NIST SP 800-63B §3.1.1): composition rules make passwords worse. */
export function checkPassword(password: string): void {
  if ([...password].length < minimumPasswordLength) {
    throw new AppError(
      'invalid-input',
      `A password needs at least ${minimumPasswordLength} characters. A few random words are best.`,
    );
  }
}

interface UserRow {
  readonly name_key: string;
  readonly name: string;
  readonly role: Role;
  readonly state: 'active' | 'disabled';
  readonly slot_id: string | null;
  readonly created_at: string;
  readonly last_sign_in: string | null;
}

function entryOf({ name, role, state, slot_id: slotId }: UserRow): UserEntry {
  return { name, role, state, slotId };
}

/** Names differ only if they differ after Unicode normalisation and case folding. */
function userKey(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function rowToUser(row: UserRow): User {
  return user.parse({
    name: row.name,
    role: row.role,
    state: row.state,
    createdAt: row.created_at,
    lastSignIn: row.last_sign_in,
  });
}
