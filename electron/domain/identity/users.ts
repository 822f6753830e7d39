/** Who may use the vault. A row here gives a name its role; the key slot in the vault gives it the keys. */
import { AppError } from '#shared/errors.ts';
import { user, type User } from '#shared/contract/users.ts';
import type { Role } from '#shared/roles.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { createQueue } from '#platform/queue.ts';

export const minimumPasswordLength = 8;

/** The part of the vault that users need: slots by id. */
export interface KeySlots {
  add(slot: {
    readonly user: string;
    readonly password: string;
    readonly role: Role;
  }): Promise<string>;
  remove(slotId: string): Promise<void>;
  setRole(slotId: string, role: Role): Promise<void>;
  setPassword(slotId: string, password: string): Promise<void>;
}

export interface Users {
  list(): User[];
  find(name: string): User | undefined;
  /** The user that a slot opened the vault for; a slot without a user is a damaged vault. */
  bySlot(slotId: string): User;
  /** Records the first administrator, whose slot the vault made at creation. */
  addFirst(name: string, slotId: string): User;
  add(entry: {
    readonly name: string;
    readonly role: Role;
    readonly password: string;
  }): Promise<User>;
  disable(name: string): Promise<User>;
  enable(name: string, password: string): Promise<User>;
  setRole(name: string, role: Role): Promise<User>;
  setPassword(name: string, password: string): Promise<void>;
  signedIn(name: string): void;
  /** Makes `name` an active administrator behind a slot that recovery has just made. */
  recovered(name: string, slotId: string): Promise<User>;
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

  function row(name: string): UserRow | undefined {
    return db
      .prepare<[string], UserRow>('SELECT * FROM users WHERE name_key = ?')
      .get(userKey(name));
  }

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

  function insert(name: string, role: Role, slotId: string): User {
    db.prepare(
      `INSERT INTO users (name_key, name, role, state, slot_id, created_at) VALUES (?, ?, ?, 'active', ?, ?)`,
    ).run(userKey(name), name.normalize('NFC'), role, slotId, now());
    return shown(name);
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
    addFirst: (name, slotId) => insert(name, 'administrator', slotId),
    add: ({ name, role, password }) =>
      inTurn(async () => {
        if (row(name) !== undefined) {
          throw new AppError('conflict', `A user named ${name} exists already.`);
        }
        checkPassword(password);
        return insert(name, role, await slots.add({ user: name, password, role }));
      }),
    disable: (name) =>
      inTurn(async () => {
        const found = existing(name);
        keepAnAdministrator(found);
        if (found.slot_id !== null) await slots.remove(found.slot_id);
        db.prepare("UPDATE users SET state = 'disabled', slot_id = NULL WHERE name_key = ?").run(
          found.name_key,
        );
        return shown(name);
      }),
    enable: (name, password) =>
      inTurn(async () => {
        const found = existing(name);
        if (found.state === 'active')
          throw new AppError('conflict', `${found.name} is active already.`);
        checkPassword(password);
        const slotId = await slots.add({ user: found.name, password, role: found.role });
        db.prepare("UPDATE users SET state = 'active', slot_id = ? WHERE name_key = ?").run(
          slotId,
          found.name_key,
        );
        return shown(name);
      }),
    setRole: (name, role) =>
      inTurn(async () => {
        const found = existing(name);
        if (role !== 'administrator') keepAnAdministrator(found);
        if (found.slot_id !== null) await slots.setRole(found.slot_id, role);
        db.prepare('UPDATE users SET role = ? WHERE name_key = ?').run(role, found.name_key);
        return shown(name);
      }),
    setPassword: (name, password) =>
      inTurn(async () => {
        const found = existing(name);
        checkPassword(password);
        if (found.slot_id === null) {
          throw new AppError(
            'conflict',
            `${found.name} is disabled. Enable the user to set a password.`,
          );
        }
        await slots.setPassword(found.slot_id, password);
      }),
    signedIn(name) {
      db.prepare('UPDATE users SET last_sign_in = ? WHERE name_key = ?').run(now(), userKey(name));
    },
    recovered: (name, slotId) =>
      inTurn(async () => {
        const found = row(name);
        if (found === undefined) return insert(name, 'administrator', slotId);
        if (found.slot_id !== null && found.slot_id !== slotId) await slots.remove(found.slot_id);
        db.prepare(
          "UPDATE users SET role = 'administrator', state = 'active', slot_id = ? WHERE name_key = ?",
        ).run(slotId, found.name_key);
        return shown(name);
      }),
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
