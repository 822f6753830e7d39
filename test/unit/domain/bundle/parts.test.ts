import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  plainFiles,
  signedFolder,
  tarEntries,
  writeTar,
  writeZip,
  zipEntries,
} from '../../../support/bundles.ts';
import { modelPackLayout, writeLayoutTar } from '../../../support/containers/oci.ts';
import { splitFile, writeDigests, writeZarfHeader } from '../../../support/containers/parts.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

async function archive(name = 'credit.tar'): Promise<string> {
  return writeTar(join(temporaryFolder(), name), tarEntries(plainFiles), name.endsWith('.gz'));
}

const only = (path: string, at = 0): string => splitFile(path, 4)[at] ?? '';

describe('archives in parts', () => {
  test('every kind of archive is read from its parts, whichever part is picked', async () => {
    const dir = await signedFolder(join(temporaryFolder(), 'maker'));
    const { report: whole } = await pass(dir);
    const files = { ...plainFiles, 'model.sig': readFileSync(join(dir, 'model.sig')) };
    const out = temporaryFolder();
    const archives = {
      zip: await writeZip(join(out, 'a.zip'), zipEntries(files)),
      tar: await writeTar(join(out, 'b.tar'), tarEntries(files)),
      'tar.gz': await writeTar(join(out, 'c.tar.gz'), tarEntries(files), true),
      'modelpack, tar': await writeLayoutTar(join(out, 'd.tar'), modelPackLayout(files)),
    };
    for (const [format, path] of Object.entries(archives)) {
      const naming = format === 'zip' ? 'number' : 'part';
      const parts = splitFile(path, 5, { naming, first: format === 'tar' ? 0 : 1 });
      for (const picked of [parts[0], parts[3]]) {
        const { report } = await pass(picked ?? '');
        expect(report, format).toMatchObject({
          format,
          verdict: 'accept',
          manifestDigest: whole.manifestDigest,
          signature: { status: 'verified' },
        });
        expect(report.declares).toContainEqual({ name: 'Parts', value: '5' });
      }
    }
  });

  test('parts with the header of Zarf are checked against it', async () => {
    const path = await archive();
    const header = writeZarfHeader(path, splitFile(path, 3));
    expect(rulesOf(await pass(header))).toEqual(['SR-SIG-001']);
    const bytes = readFileSync(`${path}.part002`);
    bytes[700] = (bytes[700] ?? 0) ^ 1;
    writeFileSync(`${path}.part002`, bytes);
    expect(rulesOf(await pass(header))).toEqual(['SR-PART-001']);
  });

  test('a missing part is named, in the middle, at the start and at the end', async () => {
    for (const [gone, header] of [
      ['part002', false],
      ['part001', false],
      ['part004', true],
    ] as const) {
      const path = await archive();
      const parts = splitFile(path, 4);
      if (header) writeZarfHeader(path, parts);
      rmSync(`${path}.${gone}`);
      const { report, refusal } = await pass(header ? `${path}.part000` : `${path}.part003`);
      expect(report.findings).toMatchObject([
        { ruleId: 'SR-PART-001', path: `credit.tar.${gone}` },
      ]);
      expect(refusal?.code).toBe('corrupt');
    }
  });

  test('with a list of digests the wrong part is named, and parts that changed places', async () => {
    const path = await archive();
    const parts = splitFile(path, 4);
    writeDigests(path, parts);
    const [first = '', second = '', third = ''] = parts;
    expect(rulesOf(await pass(first))).toEqual(['SR-SIG-001']);
    const good = readFileSync(third);
    writeFileSync(third, Buffer.concat([good.subarray(1), Buffer.from('x')]));
    expect((await pass(first)).report.findings).toMatchObject([
      {
        ruleId: 'SR-PART-001',
        path: 'credit.tar.part003',
        message: expect.stringContaining('copy this one again'),
      },
    ]);
    writeFileSync(third, good);
    renameSync(second, `${second}.x`);
    renameSync(third, second);
    renameSync(`${second}.x`, third);
    expect((await pass(first)).report.findings).toMatchObject([
      {
        path: 'credit.tar.part002',
        message: expect.stringContaining('the content of credit.tar.part003'),
      },
    ]);
  });

  test('a part that is a link is refused', async () => {
    const path = await archive();
    const [first = '', second = ''] = splitFile(path, 3);
    renameSync(second, `${path}.elsewhere`);
    symlinkSync(`${path}.elsewhere`, second);
    expect(rulesOf(await pass(first))).toEqual(['SR-PATH-002']);
  });

  test('a part more than the header says, and a number twice, are refused', async () => {
    const path = await archive();
    const header = writeZarfHeader(path, splitFile(path, 3));
    writeFileSync(`${path}.part004`, 'x');
    expect((await pass(header)).report.findings[0]?.path).toBe('credit.tar.part004');
    rmSync(`${path}.part004`);
    writeFileSync(`${path}.part02`, 'x');
    expect(rulesOf(await pass(header))).toEqual(['SR-PART-001']);
  });

  test('more parts than the bound are refused, and a damaged archive in parts is damaged', async () => {
    const path = await archive();
    for (let at = 1; at <= 501; at += 1)
      writeFileSync(`${path}.part${String(at).padStart(3, '0')}`, 'x');
    expect(rulesOf(await pass(`${path}.part001`))).toEqual(['SR-LIMIT-001']);
    const damaged = await archive();
    const part = only(damaged, 3);
    writeFileSync(part, readFileSync(part).subarray(0, 10));
    expect(rulesOf(await pass(part))).toEqual(['SR-BUNDLE-006']);
  });
});
