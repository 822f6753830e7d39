import { expect, test } from 'vitest';
import { auditActions } from '#shared/actions.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import { bytes, shortDigest } from '#shared/words.ts';
import { sentenceOf } from '../../../renderer/app/sentences.ts';
import { ago, compact, duration, percent, plural } from '../../../renderer/lib/format.ts';

test('numbers carry their units and no false precision', () => {
  expect([0, 999, 1000, 1_234_567, 99_949_999, 5e12].map(bytes)).toEqual([
    '0\u00a0B',
    '999\u00a0B',
    '1.0\u00a0KB',
    '1.2\u00a0MB',
    '99.9\u00a0MB',
    '5.0\u00a0TB',
  ]);
  expect([0.02, 3.06, 42.4, 150].map(duration)).toEqual([
    'less than 0.1 s',
    '3.1 s',
    '42 s',
    '2 min 30 s',
  ]);
  expect([0, 0.00123, 0.5].map(percent)).toEqual(['0.0\u00a0%', '0.12\u00a0%', '50.0\u00a0%']);
  expect([0, 0.35, 1234.5, 0.0000123, 12_345_678].map(compact)).toEqual([
    '0',
    '0.35',
    '1,235',
    '0.000012',
    '1.2e+7',
  ]);
  expect([plural(1, 'row'), plural(2000, 'row')]).toEqual(['1 row', '2,000 rows']);
  expect(shortDigest(`sha256:${'1a2b'.repeat(16)}`)).toBe('sha256:1a2b…1a2b');
  expect(ago('2031-01-01T00:00:00Z', new Date('2031-01-01T02:00:01Z'))).toBe('2 h ago');
});

test('an import is told by its version, not by the files that the gate writes about it', () => {
  const entry: LogEntry = {
    v: 1,
    index: 0,
    time: '2031-01-01T00:00:00Z',
    actor: 'grace',
    role: 'analyst',
    session: 's',
    host: 'test',
    phase: 'outcome',
    action: 'bundle.import',
    objects: [
      { type: 'version', id: 'credit-risk@1' },
      { type: 'verdict', id: 'svr.dsse.json' },
      { type: 'findings', id: 'findings.sarif' },
    ],
    outcome: 'ok',
  };
  expect(sentenceOf(entry)).toBe('imported credit-risk@1');
});

test('every action of the log is a sentence, done or only tried', () => {
  for (const action of auditActions) {
    const entry: LogEntry = {
      v: 1,
      index: 0,
      time: '2031-01-01T00:00:00Z',
      actor: 'ada',
      role: 'administrator',
      session: 's',
      host: 'test',
      phase: 'outcome',
      action,
      objects: [{ type: 'version', id: 'credit-risk@1' }],
      outcome: 'ok',
    };
    expect(sentenceOf(entry), action).not.toContain(action);
    expect(sentenceOf({ ...entry, outcome: 'refused' }), action).toMatch(
      action === 'vault.sign-in-failed'
        ? /^could not sign in$/
        : /^tried to [a-z ]+: it was refused$/,
    );
  }
});

test('a restore is told with a time that people read', () => {
  const entry: LogEntry = {
    v: 1,
    index: 9,
    time: '2031-01-01T00:00:00Z',
    actor: 'ada',
    role: 'administrator',
    session: 's',
    host: 'test',
    phase: 'event',
    action: 'vault.restore',
    objects: [],
    details: { madeAt: '2031-01-01T12:34:56.789Z' },
  };
  expect(sentenceOf(entry)).toMatch(/from the backup of \d{4}-\d\d-\d\d \d\d:34$/);
});
