import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exportLog } from '#domain/audit/index.ts';
import { makeProductionHistory, verifyFile } from '#domain/compliance/index.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import { evidenceSchema } from '../../../../electron/domain/compliance/evidence.ts';
import {
  entriesForHistory,
  productionHistory,
} from '../../../../electron/domain/compliance/production-history.ts';
import { verifyReport } from '../../../../electron/domain/compliance/verify-file.ts';
import { writeStory } from '../../../support/histories.ts';
import { openTestLog } from '../../../support/logs.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const everything = { model: null, from: null, to: null } as const;

function storyLog(): ReturnType<typeof openTestLog> {
  let minute = 0;
  const opened = openTestLog(
    temporaryFolder(),
    () => new Date(Date.UTC(2031, 4, 1, 8, (minute += 1))),
  );
  writeStory(opened.log);
  return opened;
}

test('the page on reports names every member of the evidence', () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../../../electron/domain/audit/FORMAT.md'),
    'utf8',
  );
  const names: string[] = [];
  JSON.stringify(z.toJSONSchema(evidenceSchema), (key, value: unknown) => {
    if (key === 'properties') names.push(...Object.keys(value as object));
    return value;
  });
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => !new RegExp(`\`(history\\.)?${name}\``).test(page))).toEqual([
    'history',
  ]);
});

function makeReport(
  { log }: Pick<ReturnType<typeof openTestLog>, 'log'>,
  filter: Parameters<typeof makeProductionHistory>[0]['filter'] = everything,
) {
  return makeProductionHistory({
    log,
    filter,
    now: new Date('2031-05-02T00:00:00Z'),
    actor: 'Audrey',
    name: 'history.pdf',
  });
}

const failedChecks = (verdict: Awaited<ReturnType<typeof verifyReport>>): string[] =>
  verdict.checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('production history', () => {
  const entries = (): LogEntry[] =>
    [...storyLog().log.texts()].map((text) => JSON.parse(text) as LogEntry);

  test('tells which version was in production when, by whom, why, and what was scored with it', () => {
    const { intervals, imports, runs, acts } = productionHistory(
      entriesForHistory(entries(), everything),
      everything,
    );
    expect(
      intervals.map(({ version, requestedBy, decidedBy, reason, rows, rejected, to }) => [
        version,
        requestedBy?.name,
        decidedBy.name,
        reason,
        rows,
        rejected,
        to === null,
      ]),
    ).toEqual([
      ['credit-risk@1', 'Grace', 'Alan', 'checked', 150, 2, false],
      ['credit-risk@2', 'Grace', 'Alan', 'checked', 70, 1, false],
      ['credit-risk@1', undefined, 'Alan', 'drift', 5, 0, false],
    ]);
    expect(intervals[0]?.to).toEqual(intervals[1]?.from);
    expect(imports.length).toBe(2);
    expect(runs.map(({ rows }) => rows)).toEqual([100, 50, 10, 70, 5]);
    expect(acts.find(({ actor }) => actor === 'Mallory')).toMatchObject({ result: 'forbidden' });
  });

  test('a period cuts what is shown and keeps what was in force', () => {
    const used = entriesForHistory(entries(), everything);
    const whole = productionHistory(used, everything);
    const from = whole.runs[3]?.at ?? '';
    const part = productionHistory(used, { model: null, from, to: null });
    expect(part.intervals.map(({ version }) => version)).toEqual([
      'credit-risk@2',
      'credit-risk@1',
    ]);
    expect(part.runs.length).toBe(2);
    expect(entriesForHistory(entries(), { model: 'another' })).toEqual([]);
  });
});

describe('the report', () => {
  test('is valid, is the same every time, and names its log', async () => {
    const opened = storyLog();
    const { pdf, entries, logSize } = await makeReport(opened);
    expect(Buffer.from((await makeReport(opened)).pdf).length).toBe(pdf.length);
    const verdict = await verifyReport(pdf);
    expect(failedChecks(verdict)).toEqual([]);
    expect(verdict).toMatchObject({ status: 'valid', kind: 'report' });
    expect(verdict.checks.map(({ name }) => name)).toEqual([
      'signature',
      'file',
      'signer',
      'attachments',
      'checkpoint',
      'entries',
      'content',
    ]);
    expect((await verifyReport(pdf, { pinned: opened.log.head().verifierKey })).status).toBe(
      'valid',
    );
    expect([entries, logSize]).toEqual([opened.log.head().size, opened.log.head().size]);
    opened.db.close();
  });

  test('no changed byte goes unnoticed', async () => {
    const { pdf } = await makeReport(storyLog());
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: pdf.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const changed = Buffer.from(pdf);
          changed[at] = (changed[at] ?? 0) ^ change;
          expect((await verifyReport(changed)).status, `byte ${at}`).toBe('invalid');
        },
      ),
      { numRuns: 300 },
    );
    for (const length of [0, 10, pdf.length >> 1, pdf.length - 1])
      expect((await verifyReport(pdf.subarray(0, length), undefined)).status).toBe('invalid');
    expect((await verifyReport(Buffer.concat([pdf, Buffer.from('\n')]), undefined)).status).toBe(
      'invalid',
    );
  });

  test('a report signed by another log is not this one', async () => {
    const { pdf } = await makeReport(storyLog());
    expect(
      failedChecks(await verifyReport(pdf, { pinned: storyLog().log.head().verifierKey })),
    ).toContain('signer');
  });

  test('an empty log makes an honest report', async () => {
    const opened = openTestLog(temporaryFolder());
    const { pdf, entries } = await makeReport(opened);
    expect(entries).toBe(0);
    expect((await verifyReport(pdf)).status).toBe('valid');
    opened.db.close();
  });

  test('other tools find the attachments, the PDF/A mark and the text', async () => {
    const dir = temporaryFolder();
    const path = join(dir, 'history.pdf');
    writeFileSync(path, (await makeReport(storyLog())).pdf);
    const run = (tool: string, ...args: string[]): string => {
      try {
        return execFileSync(tool, args, { encoding: 'utf8' });
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
        throw error;
      }
    };
    const list = run('pdfdetach', '-list', path);
    if (list === '') return; // poppler is not installed here
    expect(list).toContain('6 embedded files');
    expect(run('pdfinfo', '-meta', path)).toContain('<pdfaid:part>3</pdfaid:part>');
    expect(run('pdffonts', path)).not.toContain(' no ');
    expect(run('pdftotext', '-layout', path, '-')).toContain('credit-risk@2');
    run('qpdf', '--check', path);
  });
});

describe('verify', () => {
  test('recognises each kind of file by its content', async () => {
    const { db, log } = storyLog();
    const dir = temporaryFolder();
    const put = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    };
    const { verifierKey } = log.head();
    expect(await verifyFile(put('renamed.txt', (await makeReport({ log })).pdf))).toMatchObject({
      kind: 'report',
      status: 'valid',
    });
    expect(await verifyFile(put('entry', log.prove(3).text), { verifierKey })).toMatchObject({
      kind: 'proof',
      status: 'valid',
    });
    expect(await verifyFile(put('cp', log.head().checkpoint), { verifierKey })).toMatchObject({
      kind: 'checkpoint',
      status: 'valid',
    });
    await exportLog({ db, log }, join(dir, 'log'));
    expect(await verifyFile(join(dir, 'log'), { verifierKey })).toMatchObject({
      kind: 'log',
      status: 'valid',
    });
    for (const content of ['', 'hello', '%PDF-1.7 but not a report', '{"a":1}'])
      expect((await verifyFile(put('other', content))).status).toBe('invalid');
    expect(await verifyFile(temporaryFolder())).toMatchObject({
      kind: 'unknown',
      status: 'invalid',
    });
    await expect(verifyFile(put('x', 'x'), { verifierKey: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid-input',
    });
    db.close();
  });
});
