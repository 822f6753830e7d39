/** Ways to another password: one's own, and with the recovery key. */
import { expect, test } from 'vitest';
import { appPasswords, openPeopledApp, openTestApp } from '../../support/apps.ts';

test('who finds an open vault cannot take it over: the present password is asked for, and tries count', async () => {
  const { client } = await openPeopledApp();
  const own = { name: 'Ada', password: 'a new beginning' };
  await expect(client.users.password(own)).rejects.toMatchObject({ code: 'invalid-input' });
  for (let tries = 0; tries < 5; tries += 1)
    await expect(client.users.password({ ...own, present: 'guess' })).rejects.toMatchObject({
      code: tries < 4 ? 'wrong-password' : (expect.any(String) as string),
    });
  await expect(client.users.password({ ...own, present: appPasswords.ada })).rejects.toMatchObject({
    code: 'locked',
  });
  await client.users.password({ name: 'grace', password: 'a new beginning' });
});

test('a new password takes the present one', async () => {
  const { client } = await openPeopledApp();
  await client.users.password({
    name: 'ada',
    password: 'a new beginning',
    present: appPasswords.ada,
  });
  await client.vault.seal(null);
  await expect(
    client.vault.signIn({ user: 'ada', password: appPasswords.ada }),
  ).rejects.toMatchObject({ code: 'wrong-password' });
  await client.vault.signIn({ user: 'ada', password: 'a new beginning' });
});

test('the recovery key makes an administrator of whoever is named, and the log says of whom', async () => {
  const { client } = openTestApp();
  const { recoveryKey } = await client.vault.create({ user: 'ada', password: appPasswords.ada });
  await client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
  for (const [user, before] of [
    ['grace', 'analyst'],
    ['newcomer', null],
    ['ada', 'administrator'],
  ] as const) {
    await client.vault.seal(null);
    const newPassword = 'a new beginning';
    const { session } = await client.vault.recover({ recoveryKey, user, newPassword, reason: 'x' });
    expect(session).toMatchObject({ user, role: 'administrator' });
    const { entries } = await client.audit.list({ action: 'vault.recover', limit: 2 });
    expect(entries.map(({ entry }) => entry)).toMatchObject([
      { phase: 'outcome', actor: user, details: { role: 'administrator', before } },
      { phase: 'begin', objects: [{ type: 'user', id: user }], reason: 'x' },
    ]);
  }
});
