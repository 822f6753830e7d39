/** Acts on key slots: people come, go, get another role or password, and the recovery key is replaced or used. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from '#shared/contract/users.ts';
import { AppError } from '#shared/errors.ts';
import { createAttempts } from '#domain/vault/attempts.ts';
import { parseRecovery } from '#domain/vault/recovery-shares.ts';
import { unlock } from '#domain/vault/sign-in.ts';
import { openRecoverySlot } from '#domain/vault/slots.ts';
import { readVaultFile, type VaultFile } from '#domain/vault/vault-file.ts';
import { appPasswords, type BareApp } from '../support/bare-app.ts';
import { ada, reason, type Act, type Place } from './act.ts';

/** An analyst in every vault that acts start from. */
export const grace = { name: 'grace', role: 'analyst', password: appPasswords.grace } as const;
const nextPassword = 'another windmill';

const addUser: Act = {
  name: 'add a user',
  action: 'user.add',
  start: 'plain',
  again: ['conflict'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.users.add({ name: 'rita', role: 'auditor', password: nextPassword });
  },
  async found(on) {
    const rita = await userNamed(on, 'rita');
    return bothOrNeither(rita !== undefined, (await holds(on, 'rita', nextPassword)) !== undefined);
  },
};

const disableUser: Act = {
  name: 'disable a user',
  action: 'user.disable',
  start: 'plain',
  again: ['ok'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.users.disable({ name: grace.name, reason });
  },
  async found(on) {
    const user = await userNamed(on, grace.name);
    const opened = await holds(on, grace.name, grace.password);
    return bothOrNeither(user?.state === 'disabled', opened === undefined);
  },
};

const changeRole: Act = {
  name: 'change a role',
  action: 'user.role',
  start: 'plain',
  again: ['ok'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.users.role({ name: grace.name, role: 'auditor', reason });
  },
  async found(on) {
    const user = await userNamed(on, grace.name);
    const opened = await holds(on, grace.name, grace.password);
    return bothOrNeither(user?.role === 'auditor', opened?.includes('models') === false);
  },
};

const changePassword: Act = {
  name: 'change a password',
  action: 'user.password',
  start: 'plain',
  again: ['ok'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.users.password({ name: grace.name, password: nextPassword });
  },
  async found(on) {
    const old = await holds(on, grace.name, grace.password);
    const next = await holds(on, grace.name, nextPassword);
    return bothOrNeither(old === undefined, next !== undefined);
  },
};

const splitRecovery: Act = {
  name: 'new recovery shares',
  action: 'keys.recovery',
  start: 'plain',
  again: ['ok'],
  async perform({ client }) {
    await client.vault.signIn(ada);
    await client.keys.recovery({ shares: { threshold: 2, shares: 3 }, reason });
  },
  async found({ dir }, place) {
    const file = await vaultFileIn(dir);
    const key = parseRecovery(recoveryKeyIn(place), file.vaultId);
    const slots = file.slots.filter(({ kind }) => kind === 'recovery');
    assert.equal(slots.length, 1, 'recovery slots');
    return slots.some((slot) => openRecoverySlot(file, slot, key) !== undefined)
      ? 'nothing'
      : 'all';
  },
};

const recover: Act = {
  name: 'recover access',
  action: 'vault.recover',
  start: 'plain',
  again: ['ok'],
  async perform({ client }, place) {
    const recoveryKey = recoveryKeyIn(place);
    await client.vault.recover({
      recoveryKey,
      user: grace.name,
      newPassword: nextPassword,
      reason,
    });
  },
  async found(on) {
    const user = await userNamed(on, grace.name);
    const opened = await holds(on, grace.name, nextPassword);
    const old = await holds(on, grace.name, grace.password);
    assert.notEqual(old === undefined, opened === undefined, 'one password of two');
    return bothOrNeither(user?.role === 'administrator', opened !== undefined);
  },
};

function bothOrNeither(row: boolean, slot: boolean): 'all' | 'nothing' {
  assert.equal(slot, row, 'key slot and row of the user');
  return row ? 'all' : 'nothing';
}

async function userNamed({ client }: BareApp, name: string): Promise<User | undefined> {
  return (await client.users.list(null)).find((user) => user.name === name);
}

/** The keys that the password gives; undefined when it opens nothing. Not counted as a try. */
async function holds(
  { dir }: BareApp,
  user: string,
  password: string,
): Promise<string[] | undefined> {
  const uncounted = mkdtempSync(`${dir}-tries-`);
  try {
    const attempts = createAttempts(uncounted, () => new Date());
    const { opened } = await unlock({ file: await vaultFileIn(dir), attempts, user, password });
    return Object.keys(opened.keys);
  } catch (error) {
    if (error instanceof AppError && error.code === 'wrong-password') return undefined;
    throw error;
  } finally {
    rmSync(uncounted, { recursive: true });
  }
}

async function vaultFileIn(dir: string): Promise<VaultFile> {
  const stored = await readVaultFile(join(dir, 'vault'));
  return stored?.file ?? assert.fail('There is no vault.');
}

function recoveryKeyIn({ material }: Place): string {
  return readFileSync(join(material, 'recovery.txt'), 'utf8');
}

export const peopleActs = {
  addUser,
  disableUser,
  changeRole,
  changePassword,
  splitRecovery,
  recover,
} as const;
