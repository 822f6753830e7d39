import { sign } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { preAuthenticationEncoding } from '#platform/dsse.ts';
import { plainFiles, signedFolder, signingKey, writeFolder } from '../../../support/bundles.ts';
import { pass } from '../../../support/gate.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

describe('signatures', () => {
  const changes: readonly [string, (dir: string) => void, string][] = [
    ['a changed byte', (dir) => writeFileSync(join(dir, 'docs/notes.txt'), 'read mE'), 'invalid'],
    ['a file more', (dir) => writeFileSync(join(dir, 'extra.txt'), 'x'), 'invalid'],
    ['a file less', (dir) => rmSync(join(dir, 'docs/notes.txt')), 'invalid'],
    [
      'a file by another name',
      (dir) => renameSync(join(dir, 'docs/notes.txt'), join(dir, 'docs/note.txt')),
      'invalid',
    ],
    ['no signature', (dir) => rmSync(join(dir, 'model.sig')), 'absent'],
    [
      'a signature with a byte order mark',
      (dir) => {
        const path = join(dir, 'model.sig');
        writeFileSync(path, `\uFEFF${readFileSync(path, 'utf8')}`);
      },
      'invalid',
    ],
    ['a signature that is no JSON', (dir) => writeFileSync(join(dir, 'model.sig'), '{'), 'invalid'],
  ];
  test.each(changes)('%s', async (_what, change, status) => {
    const dir = await signedFolder(temporaryFolder());
    change(dir);
    const result = await pass(dir);
    expect(result.report).toMatchObject({ verdict: 'refuse', signature: { status } });
    expect(result.refusal?.code).toBe(status === 'invalid' ? 'tampered' : 'refused');
  });

  test('what the signature leaves out describes nothing', async () => {
    const dir = await signedFolder(temporaryFolder(), {
      'model.onnx': plainFiles['model.onnx'] ?? '',
    });
    const signature = JSON.parse(readFileSync(join(dir, 'model.sig'), 'utf8')) as {
      dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
    };
    const envelope = signature.dsseEnvelope;
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as {
      predicate: { serialization: { ignore_paths: string[] } };
    };
    statement.predicate.serialization.ignore_paths = ['pipeline.json', 'bom.cdx.json'];
    const payload = Buffer.from(JSON.stringify(statement));
    envelope.payload = payload.toString('base64');
    const message = preAuthenticationEncoding(envelope.payloadType, payload);
    envelope.signatures = [
      { sig: sign('sha256', message, signingKey.privatePem).toString('base64') },
    ];
    writeFileSync(join(dir, 'model.sig'), JSON.stringify(signature));
    writeFolder(dir, {
      'pipeline.json': JSON.stringify({ schemaVersion: 1, columns: [], model: 'other.onnx' }),
      'bom.cdx.json': JSON.stringify({
        bomFormat: 'CycloneDX',
        metadata: { component: { type: 'machine-learning-model', name: 'Mallory' } },
      }),
    });
    const { report, pipeline } = await pass(dir);
    expect(report).toMatchObject({
      verdict: 'accept',
      card: null,
      signature: { status: 'verified' },
    });
    expect(pipeline).toBeUndefined();
  });

  test('an unknown key is untrusted; files of git are outside and are not taken in', async () => {
    const dir = await signedFolder(temporaryFolder());
    mkdirSync(join(dir, '.git'));
    writeFileSync(join(dir, '.git', 'config'), 'x');
    expect((await pass(dir, [])).report).toMatchObject({
      verdict: 'refuse',
      overridable: true,
      signature: { status: 'untrusted', method: 'key' },
    });
    const result = await pass(dir);
    expect(result.report.verdict).toBe('accept');
    expect(result.files.map(({ path }) => path)).not.toContain('.git/config');
  });
});
