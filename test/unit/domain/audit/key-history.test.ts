/** A log whose signing key was handed on: what was signed before holds, whoever trusts one key finds the others, nobody else does. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareWithKept,
  exportLog,
  parseKeyHistory,
  verifyCheckpoint,
  verifyExport,
  verifyKeyHistory,
  verifyLog,
  verifyProof,
  type AuditLog,
} from '#domain/audit/index.ts';
import type { Database } from '#platform/database.ts';
import { parseCheckpoint, signCheckpoint } from '../../../../electron/domain/audit/checkpoint.ts';
import {
  createNoteSigner,
  generateNoteKey,
  type NoteAlgorithm,
} from '../../../../electron/domain/audit/note.ts';
import { appendAct, openTestLog } from '../../../support/logs.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const by = { actor: 'Ada', role: 'administrator', session: 's1', reason: 'Grace has left' };

/** What somebody took away at one time. */
interface Taken {
  readonly verifierKey: string;
  readonly checkpoint: string;
  readonly proof: string;
}

function take(log: AuditLog): Taken {
  const { verifierKey, checkpoint } = log.head();
  return { verifierKey, checkpoint, proof: log.prove(1).text };
}

/** Three keys, and what was taken away under each. */
function rotatedLog(
  algorithm: NoteAlgorithm = 'ed25519',
  dir = temporaryFolder(),
): { readonly db: Database; readonly log: AuditLog; readonly taken: readonly Taken[] } {
  const { db, log } = openTestLog(dir, undefined, algorithm);
  const taken: Taken[] = [];
  for (let era = 0; era < 3; era += 1) {
    if (era > 0) log.handOver(by);
    for (let count = 0; count <= era; count += 1) appendAct(log);
    taken.push(take(log));
  }
  return { db, log, taken };
}

function failed({ checks }: { checks: readonly { name: string; ok: boolean | null }[] }): string[] {
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

const withoutHeader = (history: string): string => history.slice(history.indexOf('\n') + 1);

describe.each(['ed25519', 'ecdsa-p256'] as const)('handed on twice, with %s', (algorithm) => {
  test('the log is intact, also after a restart, and agrees with what was kept under every key', async () => {
    const dir = temporaryFolder();
    const { db, taken } = rotatedLog(algorithm, dir);
    expect(new Set(taken.map(({ verifierKey }) => verifierKey)).size).toBe(3);
    db.close();
    const opened = openTestLog(dir, undefined, algorithm);
    expect(opened.log.damaged).toBe(false);
    appendAct(opened.log);
    const against = taken.map(({ checkpoint }) => checkpoint);
    expect(await verifyLog(opened.db, { against })).toMatchObject({ status: 'intact', size: 16 });
    const { verifierKey } = opened.log.head();
    for (const kept of against)
      expect(compareWithKept(opened.db, kept, verifierKey)).toBe('extends');
    opened.db.close();
  });

  test('whoever trusts one key believes what every other one has signed, and no more', async () => {
    const { db, log, taken } = rotatedLog(algorithm);
    const keyHistory = log.keyHistory();
    const stranger = openTestLog(temporaryFolder(), undefined, algorithm);
    for (const { verifierKey: pinned } of taken) {
      for (const { proof, checkpoint } of taken) {
        expect(verifyProof(proof, { pinned, keyHistory })).toMatchObject({ status: 'valid' });
        expect(verifyCheckpoint(checkpoint, { pinned, keyHistory }).status).toBe('valid');
      }
      // What is signed later carries the way from every earlier key.
      expect(verifyProof(taken[2]?.proof ?? '', { pinned })).toMatchObject({ status: 'valid' });
      expect(verifyKeyHistory(keyHistory, { pinned })).toMatchObject({ status: 'valid' });
    }
    // What is older cannot know a later key, and says so.
    const [first, , last] = taken;
    expect(failed(verifyProof(first?.proof ?? '', { pinned: last?.verifierKey }))).toEqual([
      'signer',
    ]);
    const foreign = stranger.log.head().verifierKey;
    for (const { proof } of taken)
      expect(failed(verifyProof(proof, { pinned: foreign, keyHistory }))).toEqual(['signer']);
    expect(failed(verifyKeyHistory(keyHistory, { pinned: foreign }))).toEqual(['signer']);
    // Hand-overs of another log among them are not part of the chain, whoever is trusted.
    const other = rotatedLog(algorithm);
    const spliced = keyHistory + withoutHeader(other.log.keyHistory());
    for (const { verifierKey: pinned } of taken)
      expect(failed(verifyKeyHistory(spliced, { pinned }))).toContain('chain');
    other.db.close();

    const dir = join(temporaryFolder(), 'log');
    await exportLog({ db, log }, dir);
    const against = taken.map(({ checkpoint }) => checkpoint);
    for (const { verifierKey: pinned } of taken)
      expect(await verifyExport(dir, { pinned, against })).toMatchObject({ status: 'valid' });
    expect(failed(await verifyExport(dir, { pinned: foreign }))).toEqual(['signer']);
    for (const opened of [db, stranger.db]) opened.close();
  });
});

test('a log with its first key hands out what it always did', async () => {
  const { db, log } = openTestLog(temporaryFolder());
  appendAct(log);
  expect(log.keyHistory()).toBe('');
  const extra = /^extra (\S+)$/m.exec(log.prove(0).text)?.[1] ?? '';
  expect(Object.keys(JSON.parse(Buffer.from(extra, 'base64').toString()) as object)).toEqual([
    'entry',
    'verifierKey',
  ]);
  const dir = join(temporaryFolder(), 'log');
  await exportLog({ db, log }, dir);
  expect(() => readFileSync(join(dir, 'key-history'))).toThrow('ENOENT');
  expect((await verifyExport(dir)).checks.map(({ name }) => name)).not.toContain('keys');
  db.close();
});

describe('a key that the old one has not vouched for', () => {
  /** As a thief of the database, without the signing key, would write it: a hand-over that only the new key signs. */
  function handOverWithoutOldKey(db: Database, log: AuditLog): void {
    log.handOver(by);
    const { size } = log.head();
    const note = db
      .prepare<[number], string>('SELECT note FROM checkpoints WHERE size = ?')
      .pluck()
      .get(size);
    const { origin, root } = parseCheckpoint(note ?? '');
    const { private_key: privateKey } = db.prepare('SELECT private_key FROM meta').get() as {
      private_key: Uint8Array;
    };
    db.prepare('UPDATE checkpoints SET note = ? WHERE size = ?').run(
      signCheckpoint({ size, root }, createNoteSigner(origin, privateKey)),
      size,
    );
  }

  test('breaks the log, and no key history is made of it', async () => {
    const { db, log } = openTestLog(temporaryFolder());
    appendAct(log);
    const kept = log.head();
    handOverWithoutOldKey(db, log);
    appendAct(log);
    expect(await verifyLog(db)).toMatchObject({ status: 'broken', firstBroken: 2 });
    expect(compareWithKept(db, kept.checkpoint, log.head().verifierKey)).toBe('different');
    expect(() => parseKeyHistory(log.keyHistory())).toThrow(
      expect.objectContaining({ code: 'tampered' }),
    );
    expect(verifyProof(log.prove(3).text, { pinned: kept.verifierKey }).status).toBe('invalid');
    const dir = join(temporaryFolder(), 'log');
    await exportLog({ db, log }, dir);
    expect((await verifyExport(dir)).status).toBe('invalid');
    db.close();
  });

  test('is not one that the log changes to in silence', async () => {
    const { db, log } = rotatedLog();
    const { origin } = parseCheckpoint(log.head().checkpoint);
    const other = generateNoteKey(origin, 'ed25519');
    db.prepare('UPDATE meta SET private_key = ?, verifier_key = ?').run(
      other.privateKey,
      other.verifierKey.text,
    );
    expect(await verifyLog(db)).toMatchObject({ status: 'broken' });
    db.close();
  });

  test('an entry cannot name a key that was not the one before', async () => {
    const dir = temporaryFolder();
    const { db, log, taken } = rotatedLog('ed25519', dir);
    log.append({
      ...by,
      phase: 'event',
      action: 'audit.key-rotate',
      objects: [],
      outcome: 'ok',
      details: {
        previousKey: taken[0]?.verifierKey,
        verifierKey: generateNoteKey(parseCheckpoint(log.head().checkpoint).origin, 'ed25519')
          .verifierKey.text,
      },
    });
    expect(await verifyLog(db)).toMatchObject({ status: 'broken', firstBroken: 14 });
    db.close();
  });
});

describe('a stolen earlier key', () => {
  /** The log goes on twice from one state, as with a thief who has a copy from before the hand-over. */
  function twoHistories(): { readonly ours: AuditLog; readonly theirs: AuditLog; close(): void } {
    const dirs = [temporaryFolder(), temporaryFolder()] as const;
    const first = openTestLog(dirs[0]);
    appendAct(first.log);
    first.db.close();
    writeFileSync(join(dirs[1], 'audit.db'), readFileSync(join(dirs[0], 'audit.db')));
    const [ours, theirs] = dirs.map((dir) => openTestLog(dir));
    if (ours === undefined || theirs === undefined) throw new Error('There are two.');
    for (const { log } of [ours, theirs]) {
      log.handOver(by);
      appendAct(log);
    }
    return {
      ours: ours.log,
      theirs: theirs.log,
      close: () => [ours, theirs].forEach(({ db }) => db.close()),
    };
  }

  test('leads nobody away who trusts the key that came after it', () => {
    const { ours, theirs, close } = twoHistories();
    const forged = theirs.prove(4).text;
    const pinned = ours.head().verifierKey;
    expect(failed(verifyProof(forged, { pinned }))).toEqual(['signer']);
    // With both histories in hand, the second hand-over is seen.
    const both = verifyProof(forged, { pinned, keyHistory: ours.keyHistory() });
    expect(both).toMatchObject({ status: 'invalid' });
    expect(both.checks[0]?.detail).toContain('two histories');
    close();
  });

  test('signs nothing longer than the log was when it was handed on', () => {
    const { db, log, taken } = rotatedLog();
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'copy'));
    const keyHistory = log.keyHistory();
    const { origin, privateKey } = (() => {
      const early = openTestLog(join(dir, 'copy'));
      const row = early.db.prepare('SELECT origin, private_key FROM meta').get() as {
        origin: string;
        private_key: Uint8Array;
      };
      early.db.close();
      return { origin: row.origin, privateKey: row.private_key };
    })();
    // A log of one's own, with the same origin, handed on at entry 0.
    const own = openTestLog(join(dir, 'copy'));
    own.log.handOver(by);
    const root = parseCheckpoint(own.log.head().checkpoint).root;
    const old = createNoteSigner(origin, privateKey);
    const trust = { pinned: own.log.head().verifierKey, keyHistory: own.log.keyHistory() };
    expect(verifyCheckpoint(signCheckpoint({ size: 1, root }, old), trust).status).toBe('valid');
    expect(failed(verifyCheckpoint(signCheckpoint({ size: 2, root }, old), trust))).toEqual([
      'signature',
    ]);
    expect(keyHistory).not.toBe(own.log.keyHistory());
    expect(taken.length).toBe(3);
    for (const opened of [db, own.db]) opened.close();
  });
});

test('no changed character of a key history is believed', () => {
  const { db, log, taken } = rotatedLog();
  const text = log.keyHistory();
  const [first, , last] = taken;
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom(...'AZ09+/=\n '), (at, other) => {
      fc.pre(text[at] !== other);
      const keyHistory = text.slice(0, at) + other + text.slice(at + 1);
      const trust = { pinned: last?.verifierKey, keyHistory };
      expect(verifyProof(first?.proof ?? '', trust).status, `character ${at}`).toBe('invalid');
    }),
    { numRuns: 400 },
  );
  for (const cut of [text.slice(0, -1), text.slice(0, text.length >> 1), `${text}x`, text.slice(1)])
    expect(verifyKeyHistory(cut).status).toBe('invalid');
  db.close();
});

test('an exported log whose key history is missing, cut or of another log is not valid', async () => {
  const { db, log } = rotatedLog();
  const dir = join(temporaryFolder(), 'log');
  await exportLog({ db, log }, dir);
  const path = join(dir, 'key-history');
  const good = readFileSync(path, 'utf8');
  const second = good.indexOf('c2sp.org/tlog-proof@v1', good.indexOf('c2sp.org') + 1);
  const other = rotatedLog();
  for (const bad of [good.slice(0, second), other.log.keyHistory(), 'nonsense']) {
    writeFileSync(path, bad);
    expect((await verifyExport(dir)).status).toBe('invalid');
  }
  writeFileSync(path, good);
  expect((await verifyExport(dir)).status).toBe('valid');
  for (const opened of [db, other.db]) opened.close();
});

test('an older copy of the log, from before its key was handed on, is not the one of a later checkpoint', async () => {
  const dir = temporaryFolder();
  const { db, log } = openTestLog(dir);
  appendAct(log);
  db.close();
  const copy = temporaryFolder();
  writeFileSync(join(copy, 'audit.db'), readFileSync(join(dir, 'audit.db')));
  const later = openTestLog(dir);
  later.log.handOver(by);
  appendAct(later.log);
  const older = openTestLog(copy);
  const { checkpoint } = later.log.head();
  expect(compareWithKept(older.db, checkpoint, older.log.head().verifierKey)).toBe('different');
  expect(await verifyLog(older.db, { against: [checkpoint] })).toMatchObject({
    status: 'broken',
    message: expect.stringContaining('before its key was rotated') as string,
  });
  for (const opened of [later.db, older.db]) opened.close();
});
