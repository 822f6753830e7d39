import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpolate, splitSecret, type Point } from '#domain/vault/shamir.ts';
import { parseRecovery, recoveryKeyToShares } from '#domain/vault/recovery-shares.ts';
import { openVaultWithRecoveryKey } from '#domain/vault/index.ts';
import { bareSchema, freshVault } from '../../../support/vaults.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Blockchain Commons, bc-shamir: 3 of 5; its shares count from 0 and its secret stands at 255, in the same field. */
test('agrees with published shares of another implementation', () => {
  const published = [
    '00112233445566778899aabbccddeeff',
    'd43099fe444807c46921a4f33a2a798b',
    'd9ad4e3bec2e1a7485698823abf05d36',
    '0d8cf5f6ec337bc764d1866b5d07ca42',
    '1aa7fe3199bc5092ef3816b074cabdf2',
  ].map((text, index) => ({ index, bytes: Buffer.from(text, 'hex') }));
  for (const chosen of [
    [1, 2, 4],
    [0, 1, 2],
    [2, 3, 4],
    [0, 3, 4],
  ]) {
    const points = published.filter(({ index }) => chosen.includes(index));
    expect(hex(interpolate(points, 255))).toBe('0ff784df000c4380a5ed683f7e6e3dcf');
  }
});

/** The field built another way: logarithms of the generator 3. */
const powers = Array.from({ length: 255 }, () => 0);
for (let at = 0, value = 1; at < 255; at += 1) {
  powers[at] = value;
  value ^= (value << 1) ^ (value & 0x80 ? 0x11b : 0);
}
function times(left: number, right: number): number {
  if (left === 0 || right === 0) return 0;
  return powers[(powers.indexOf(left) + powers.indexOf(right)) % 255] ?? 0;
}
const divided = (left: number, right: number): number =>
  times(left, powers[(255 - powers.indexOf(right)) % 255] ?? 0);

const splits = fc
  .tuple(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 2, max: 20 }))
  .map(([a, b]) => ({ threshold: Math.min(a, b), shares: Math.max(a, b) }));

test('any threshold of the shares bring the secret back, by an implementation of its own too', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 32 }),
      splits,
      fc.infiniteStream(fc.nat()),
      (secret, split, numbers) => {
        const shares = splitSecret(secret, split);
        expect(shares.map(({ index }) => index)).toEqual(shares.map((_, at) => at + 1));
        const shuffled: Point[] = shares
          .map((share) => [numbers.next().value ?? 0, share] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, share]) => share);
        const chosen = shuffled.slice(0, split.threshold);
        expect(hex(interpolate(chosen))).toBe(hex(secret));
        const other = secret.map((_, position) =>
          chosen.reduce((sum, point) => {
            let weight = point.bytes[position] ?? 0;
            for (const { index } of chosen)
              if (index !== point.index)
                weight = divided(times(weight, index), index ^ point.index);
            return sum ^ weight;
          }, 0),
        );
        expect(hex(other)).toBe(hex(secret));
      },
    ),
  );
});

test('one share fewer fits every secret equally well', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      splits,
      (secret, other, split) => {
        const known = splitSecret(secret, split).slice(0, split.threshold - 1);
        // With any other secret as the value at 0 there is a polynomial of the same degree through the same shares.
        const last = interpolate([...known, { index: 0, bytes: other }], 255);
        expect(hex(interpolate([...known, { index: 255, bytes: last }]))).toBe(hex(other));
      },
    ),
  );
});

test('a share alone looks the same whatever the secret is', () => {
  const seen = (secret: number): Set<number> => {
    const values = new Set<number>();
    for (let round = 0; round < 8000; round += 1)
      values.add(
        splitSecret(Uint8Array.of(secret), { threshold: 2, shares: 2 })[0]?.bytes[0] ?? -1,
      );
    return values;
  };
  expect(seen(0).size).toBe(256);
  expect(seen(255).size).toBe(256);
});

const ids = { vaultId: 'ab'.repeat(16), slotId: 'cd'.repeat(16) };
const key = Uint8Array.from({ length: 32 }, (_, at) => at);

test('reads shares however they were copied, and says what is wrong with them', () => {
  const shares = recoveryKeyToShares(key, { threshold: 2, shares: 3 }, ids);
  const [first = '', second = '', third = ''] = shares;
  expect(first).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){14}[0-9A-HJKMNP-TV-Z]{4}$/);
  for (const text of [
    `${first}\n${third}`,
    `\n ${third.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')} \r\n\n${second}\n`,
    shares.join('\n'),
  ])
    expect(hex(parseRecovery(text, ids.vaultId))).toBe(hex(key));
  const refused = (text: string, message: RegExp, code = 'invalid-input'): void => {
    expect(() => parseRecovery(text, ids.vaultId)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  };
  refused(first, /1 more share is needed: any 2/);
  refused(`${first}\n${first}`, /Share 2 is there twice/);
  refused(
    `${first}\n${second.slice(0, -1)}${second.endsWith('7') ? '8' : '7'}`,
    /Share 2 is not complete/,
  );
  const [stranger = ''] = recoveryKeyToShares(
    key,
    { threshold: 2, shares: 3 },
    {
      ...ids,
      slotId: 'ef'.repeat(16),
    },
  );
  refused(`${first}\n${stranger}`, /Share 2 is not of the same set/);
  expect(() => parseRecovery(`${first}\n${second}`, '00'.repeat(16))).toThrow(
    expect.objectContaining({ code: 'wrong-password' }),
  );
});

test('two of three shares open the vault; a new recovery key ends the old shares', async () => {
  const { vault, dir, recoveryKey } = await freshVault(undefined, undefined, {
    threshold: 2,
    shares: 3,
  });
  const clock = (): Date => new Date();
  const open = (text: string): Promise<typeof vault> =>
    openVaultWithRecoveryKey({ dir, recoveryKey: text, clock, schema: bareSchema });
  vault.close();
  const [first, , third] = recoveryKey.split('\n');
  const opened = await open(`${first}\n${third}`);
  expect(opened.holds('models')).toBe(true);
  const renewed = await opened.slots.renewRecovery(undefined);
  expect(renewed).not.toContain('\n');
  opened.close();
  await expect(open(recoveryKey)).rejects.toMatchObject({ code: 'wrong-password' });
  (await open(renewed)).close();
});
