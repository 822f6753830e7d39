import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  exportLog,
  verifyCheckpoint,
  verifyExport,
  verifyLog,
  verifyProof,
} from '#domain/audit/index.ts';
import type { Database } from '#platform/database.ts';
import { signCheckpoint } from '../../../../electron/domain/audit/checkpoint.ts';
import {
  createTreeBuilder,
  emptyRoot,
  leafHash,
} from '../../../../electron/domain/audit/merkle.ts';
import { createNoteSigner, generateNoteKey } from '../../../../electron/domain/audit/note.ts';
import { tilePath, tilesOf } from '../../../../electron/domain/audit/tiles.ts';
import { appendAct, openTestLog } from '../../../support/logs.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

describe('writing', () => {
  test('numbers entries, remembers them across a restart and lists them newest first', () => {
    const dir = temporaryFolder();
    const first = openTestLog(dir);
    appendAct(first.log, { reason: 'monthly 100% run' });
    first.db.close();
    const { log, db } = openTestLog(dir);
    appendAct(log, { action: 'model.promote', actor: 'Grace' });
    expect(log.head().size).toBe(4);
    expect(log.list({ limit: 2 }).entries.map(({ entry }) => entry.index)).toEqual([3, 2]);
    expect(log.list({ limit: 10, before: 2 }).entries.map(({ entry }) => entry.index)).toEqual([
      1, 0,
    ]);
    expect(log.list({ limit: 10, actor: 'Grace' }).total).toBe(1);
    expect(log.list({ limit: 10, action: 'run.score' }).total).toBe(2);
    expect(log.list({ limit: 10, text: '100%' }).total).toBe(1);
    expect(log.list({ limit: 10, text: '1_0' }).total).toBe(0);
    expect(log.entry(2)).toMatchObject({ action: 'model.promote', phase: 'begin' });
    expect(() => log.entry(4)).toThrow(expect.objectContaining({ code: 'not-found' }));
    db.close();
  });

  test('marks a clock that went back', async () => {
    const times = ['2031-05-01T10:00:00Z', '2031-05-01T09:00:00Z', '2031-05-01T09:30:00Z'].map(
      (text) => new Date(text),
    );
    const { log, db } = openTestLog(
      temporaryFolder(),
      () => times.shift() ?? new Date('2031-05-02T00:00:00Z'),
    );
    appendAct(log);
    appendAct(log);
    expect([0, 1, 2].map((index) => log.entry(index).clock)).toEqual([
      undefined,
      'backwards',
      undefined,
    ]);
    expect(await verifyLog(db)).toMatchObject({ status: 'intact' });
    db.close();
  });

  test('an entry that is too long is refused and leaves the log as it was', async () => {
    const { log, db } = openTestLog(temporaryFolder());
    appendAct(log);
    const before = log.head();
    expect(() => appendAct(log, { details: { text: 'x'.repeat(70_000) } })).toThrow(
      expect.objectContaining({ code: 'limit' }),
    );
    expect(log.head()).toEqual(before);
    appendAct(log);
    expect(await verifyLog(db)).toMatchObject({ status: 'intact', size: 4 });
    db.close();
  });

  test('a process killed while it writes leaves an intact log', async () => {
    const dir = temporaryFolder();
    const script = join(import.meta.dirname, '../../../support/append-forever.ts');
    let size = 0;
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [script, dir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      if (round === 0) await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 20 + 13 * round));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const { db, log } = openTestLog(dir);
      expect(await verifyLog(db)).toMatchObject({ status: 'intact' });
      expect(log.head().size).toBeGreaterThanOrEqual(size);
      size = log.head().size;
      db.close();
    }
    expect(size).toBeGreaterThan(0);
  });
});

/** Rebuilds hashes and checkpoints from the entries, as a thief with the database key and the signing key can. */
function forge(db: Database): void {
  const { origin, private_key: privateKey } = db
    .prepare('SELECT origin, private_key FROM meta')
    .get() as { origin: string; private_key: Uint8Array };
  const signer = createNoteSigner(origin, privateKey);
  const tree = createTreeBuilder({ size: 0, source: () => emptyRoot });
  const signTree = (): void =>
    void db
      .prepare('INSERT INTO checkpoints VALUES (?, ?)')
      .run(tree.size(), signCheckpoint({ size: tree.size(), root: tree.root() }, signer));
  db.exec('DELETE FROM hashes; DELETE FROM checkpoints');
  signTree();
  for (const json of db
    .prepare('SELECT json FROM entries ORDER BY idx')
    .pluck()
    .all() as string[]) {
    for (const node of tree.add(leafHash(Buffer.from(json))))
      db.prepare('INSERT INTO hashes VALUES (?, ?, ?)').run(node.level, node.index, node.hash);
    signTree();
  }
}

function edit(db: Database, index: number, change: (entry: Record<string, unknown>) => void): void {
  const entry = JSON.parse(
    db.prepare('SELECT json FROM entries WHERE idx = ?').pluck().get(index) as string,
  ) as Record<string, unknown>;
  change(entry);
  const sorted = Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
  db.prepare('UPDATE entries SET json = ? WHERE idx = ?').run(JSON.stringify(sorted), index);
}

function remove(db: Database, index: number): void {
  db.prepare('DELETE FROM entries WHERE idx = ?').run(index);
  const later = db
    .prepare('SELECT idx FROM entries WHERE idx > ? ORDER BY idx')
    .pluck()
    .all(index) as number[];
  for (const idx of later) {
    db.prepare('UPDATE entries SET idx = ? WHERE idx = ?').run(idx - 1, idx);
    edit(db, idx - 1, (entry) => (entry['index'] = idx - 1));
  }
}

const attacks: Record<string, { alone: 'found' | 'missed'; act: (db: Database) => void }> = {
  'a changed reason': {
    alone: 'found',
    act: (db) => edit(db, 4, (entry) => (entry['reason'] = 'nothing to see')),
  },
  'a changed byte after which it is no entry any more': {
    alone: 'found',
    act: (db) => db.exec(`UPDATE entries SET json = replace(json, '"v":1', '"v":2') WHERE idx = 4`),
  },
  'a deleted entry': {
    alone: 'found',
    act: (db) => db.prepare('DELETE FROM entries WHERE idx = 4').run(),
  },
  'the last entry deleted': {
    alone: 'found',
    act: (db) => db.prepare('DELETE FROM entries WHERE idx = 19').run(),
  },
  'two entries exchanged': {
    alone: 'found',
    act: (db) =>
      db.exec(
        'UPDATE entries SET idx = -1 WHERE idx = 4; UPDATE entries SET idx = 4 WHERE idx = 6; UPDATE entries SET idx = 6 WHERE idx = -1',
      ),
  },
  'a changed hash': {
    alone: 'found',
    act: (db) => db.exec('UPDATE hashes SET hash = zeroblob(32) WHERE level = 1 AND idx = 2'),
  },
  'a spare hash': {
    alone: 'found',
    act: (db) => db.exec('INSERT INTO hashes VALUES (9, 9, zeroblob(32))'),
  },
  'a changed checkpoint': {
    alone: 'found',
    act: (db) => db.exec("UPDATE checkpoints SET note = replace(note, '— ', '— x') WHERE size = 7"),
  },
  'a checkpoint deleted in the middle': {
    alone: 'found',
    act: (db) => db.exec('DELETE FROM checkpoints WHERE size = 7'),
  },
  'a spare checkpoint': {
    alone: 'found',
    act: (db) => db.exec("INSERT INTO checkpoints VALUES (-1, 'x')"),
  },
  'a signing key exchanged': {
    alone: 'found',
    act: (db) =>
      db
        .prepare('UPDATE meta SET private_key = ?')
        .run(generateNoteKey('strongroom.invalid/x', 'ed25519').privateKey),
  },
  'both keys exchanged': {
    alone: 'found',
    act: (db) => {
      const { origin } = db.prepare('SELECT origin FROM meta').get() as { origin: string };
      const { privateKey, verifierKey } = generateNoteKey(origin, 'ed25519');
      db.prepare('UPDATE meta SET private_key = ?, verifier_key = ?').run(
        privateKey,
        verifierKey.text,
      );
    },
  },
  'a trigger that would rewrite what comes': {
    alone: 'found',
    act: (db) =>
      db.exec(
        'CREATE TRIGGER quiet AFTER INSERT ON entries BEGIN DELETE FROM entries WHERE idx = 2; END',
      ),
  },
  'the last checkpoint deleted': {
    alone: 'found',
    act: (db) => db.exec('DELETE FROM checkpoints WHERE size = 20'),
  },
  'the end cut off, checkpoints left': {
    alone: 'found',
    act: (db) => db.exec('DELETE FROM entries WHERE idx >= 15'),
  },
  'the end cut off, with its hashes and checkpoints': {
    alone: 'missed',
    act: (db) => {
      db.exec('DELETE FROM entries WHERE idx >= 16');
      forge(db);
    },
  },
  'an edit, re-hashed and re-signed with the stolen key': {
    alone: 'missed',
    act: (db) => {
      edit(db, 4, (entry) => (entry['reason'] = 'nothing to see'));
      forge(db);
    },
  },
  'an act deleted, renumbered and re-signed': {
    alone: 'missed',
    act: (db) => {
      remove(db, 19);
      remove(db, 18);
      forge(db);
    },
  },
};

describe('verifying a database', () => {
  test.each(Object.entries(attacks))('%s', async (_name, { alone, act }) => {
    const { db, log } = openTestLog(temporaryFolder());
    for (let count = 0; count < 10; count += 1) appendAct(log, { reason: `act ${count}` });
    const kept = log.head().checkpoint;
    expect(await verifyLog(db, { against: [kept] })).toMatchObject({ status: 'intact', size: 20 });
    act(db);
    expect((await verifyLog(db)).status).toBe(alone === 'found' ? 'broken' : 'intact');
    expect((await verifyLog(db, { against: [kept] })).status).toBe('broken');
    db.close();
  });

  test('a log that went on agrees with an old checkpoint; a restored older copy does not agree with a new one', async () => {
    const dir = temporaryFolder();
    const { db, log } = openTestLog(dir);
    appendAct(log);
    const early = log.head().checkpoint;
    db.close();
    const copy = temporaryFolder();
    cpSync(dir, copy, { recursive: true });
    const now = openTestLog(dir);
    appendAct(now.log);
    const late = now.log.head().checkpoint;
    expect(await verifyLog(now.db, { against: [early, late] })).toMatchObject({ status: 'intact' });
    const old = openTestLog(copy);
    expect(await verifyLog(old.db, { against: [late] })).toMatchObject({
      status: 'broken',
      firstBroken: 2,
    });
    const stranger = openTestLog(temporaryFolder());
    appendAct(stranger.log);
    expect(await verifyLog(now.db, { against: [stranger.log.head().checkpoint] })).toMatchObject({
      status: 'broken',
    });
    expect(await verifyLog(now.db, { against: ['nonsense'] })).toMatchObject({ status: 'broken' });
    for (const opened of [now, old, stranger]) opened.db.close();
  });

  test('an empty log is intact', async () => {
    const { db } = openTestLog(temporaryFolder());
    expect(await verifyLog(db)).toMatchObject({ status: 'intact', size: 0 });
    db.close();
  });
});

describe('files for others', () => {
  test('a proof is valid alone, and no changed character of it is', () => {
    const { db, log } = openTestLog(temporaryFolder());
    for (let count = 0; count < 6; count += 1) appendAct(log);
    const { text } = log.prove(7);
    const { verifierKey } = log.head();
    expect(verifyProof(text)).toMatchObject({ status: 'valid', kind: 'proof' });
    expect(verifyProof(text, { pinned: verifierKey })).toMatchObject({ status: 'valid' });
    const other = openTestLog(temporaryFolder());
    expect(verifyProof(text, { pinned: other.log.head().verifierKey })).toMatchObject({
      status: 'invalid',
    });
    for (let at = 0; at < text.length; at += 1) {
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      expect(verifyProof(changed).status, `character ${at}`).toBe('invalid');
    }
    expect(verifyCheckpoint(log.head().checkpoint, { pinned: verifierKey }).status).toBe('valid');
    expect(verifyCheckpoint(log.head().checkpoint).status).toBe('invalid');
    db.close();
    other.db.close();
  });

  test('names tiles as the specification does', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 0, width: 8 })).toBe('tile/entries/000.p/8');
    expect(tilesOf(256 * 256 + 1).map(tilePath)).toEqual(
      expect.arrayContaining(['tile/0/256.p/1', 'tile/1/000', 'tile/2/000.p/1']),
    );
  });

  test('an exported log is valid, agrees with kept checkpoints, and no changed file passes', async () => {
    const { db, log } = openTestLog(temporaryFolder());
    for (let count = 0; count < 5; count += 1) appendAct(log);
    const kept = log.head().checkpoint;
    for (let count = 0; count < 150; count += 1) appendAct(log);
    const dir = join(temporaryFolder(), 'log');
    expect(await exportLog({ db, log }, dir)).toMatchObject({ entries: 310 });
    const pinned = log.head().verifierKey;
    expect(await verifyExport(dir)).toMatchObject({ status: 'valid', kind: 'log' });
    expect(await verifyExport(dir, { pinned, against: [kept] })).toMatchObject({ status: 'valid' });
    expect(
      await verifyExport(dir, { against: [openTestLog(temporaryFolder()).log.head().checkpoint] }),
    ).toMatchObject({ status: 'invalid' });
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(6);
    for (const entry of files) {
      const path = join(entry.parentPath, entry.name);
      const good = readFileSync(path);
      for (const at of [0, Math.floor(good.length / 2), good.length - 2]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 1;
        writeFileSync(path, bad);
        expect((await verifyExport(dir)).status, `${entry.name} at ${at}`).toBe('invalid');
      }
      writeFileSync(path, good.subarray(0, -2));
      expect((await verifyExport(dir)).status, `${entry.name} truncated`).toBe('invalid');
      writeFileSync(path, good);
    }
    expect(await verifyExport(temporaryFolder())).toMatchObject({ status: 'invalid' });
    db.close();
  });
});
