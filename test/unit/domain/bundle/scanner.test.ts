import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, passGate, type Digested, type GateResult } from '#domain/bundle/index.ts';
import { startScanner, type ScanLimits } from '#domain/bundle/scan/process.ts';
import { bytesOf, matrixModel } from '../../../support/onnx-models.ts';
import {
  bytesField,
  numberField,
  graphContent,
  rawGraph,
  rawModel,
  tag,
  varint,
} from '../../../support/hostile/protobuf.ts';
import { stopAll } from '../../../support/processes.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

async function scan(bytes: Uint8Array, limits: Partial<ScanLimits> = {}) {
  await using scanner = await startScanner(limits);
  await scanner.write(bytes);
  return await scanner.end();
}

const rulesIn = ({ findings }: { findings: readonly { ruleId: string }[] }): string[] =>
  findings.map(({ ruleId }) => ruleId);

/** A model of so many nodes, which the scanner has to keep. */
function manyNodes(count: number): Uint8Array {
  const one = bytesField(
    1,
    Buffer.concat([bytesField(1, 'x'), bytesField(4, 'Neg'), bytesField(3, 'n'.repeat(40))]),
  );
  return rawModel(rawGraph(Buffer.concat(Array.from({ length: count }, () => one))));
}

function onlyScanner(): number {
  const found = scanners();
  // Not a number of processes that a signal to nobody would reach: 0 is this one and all that it started.
  expect(found).toHaveLength(1);
  return found[0] ?? Number.NaN;
}

/** Processes that this one started for scanning. */
function scanners(): number[] {
  try {
    return execFileSync('pgrep', ['-P', String(process.pid), '-f', 'scanner\\.'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return [];
  }
}

describe('the scanner process', () => {
  test('answers what a model is, and is gone with its folder', async () => {
    const answer = await scan(bytesOf(matrixModel()));
    expect(answer).toMatchObject({
      findings: [],
      external: [],
      facts: { nodes: 1, inputs: [{ name: 'features' }] },
    });
    expect(scanners()).toEqual([]);
    expect(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`strongroom-scan-${process.pid}-`)),
    ).toEqual([]);
  });

  test('that is killed in the middle is a finding, and the rest is taken without an error', async () => {
    const bytes = bytesOf(matrixModel());
    await using scanner = await startScanner();
    await scanner.write(bytes.subarray(0, 10));
    process.kill(onlyScanner(), 'SIGSEGV');
    for (let at = 0; at < 50; at += 1) await scanner.write(Buffer.alloc(1024 * 1024));
    expect(rulesIn(await scanner.end())).toEqual(['SR-SCAN-001']);
  });

  test('that takes nothing any more is stopped, and is a finding', async () => {
    await using scanner = await startScanner({ silenceMs: 1500 });
    await scanner.write(bytesOf(matrixModel()).subarray(0, 10));
    stopAll(onlyScanner());
    for (let at = 0; at < 5; at += 1) await scanner.write(Buffer.alloc(4 * 1024 * 1024));
    expect(rulesIn(await scanner.end())).toEqual(['SR-SCAN-002']);
    expect(scanners()).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')(
    'that uses up its processor time is a finding',
    async () => {
      const answer = await scan(manyNodes(400_000), { processorSeconds: 1 });
      expect(rulesIn(answer)).toEqual(['SR-SCAN-002']);
    },
  );

  test('that outgrows its memory is a finding', async () => {
    const answer = await scan(manyNodes(400_000), { heapBytes: 64 * 2 ** 20 });
    expect(rulesIn(answer)).toEqual(['SR-SCAN-003']);
  });

  test('a bundle with a model that the scanner does not survive is refused, and the gate goes on', async () => {
    const dir = temporaryFolder();
    for (const [name, content] of [
      ['a.onnx', manyNodes(400_000)],
      ['model.onnx', bytesOf(matrixModel())],
    ] as const) {
      const file = openSync(join(dir, name), 'w');
      writeSync(file, content);
      closeSync(file);
    }
    const { report } = await pass(dir, { heapBytes: 64 * 2 ** 20 });
    expect(report).toMatchObject({
      verdict: 'refuse',
      overridable: false,
      model: { path: 'model.onnx', nodes: 1 },
    });
    expect(report.findings).toContainEqual(
      expect.objectContaining({ ruleId: 'SR-SCAN-003', path: 'a.onnx' }),
    );
  });
});

function pass(path: string, scanLimits: Partial<ScanLimits> = {}): Promise<GateResult<Digested>> {
  return passGate(path, {
    trust: [],
    now: new Date(),
    scanLimits,
    store: digestOf,
  });
}

const gibibyte = 2 ** 30;
const { bavail, bsize } = statfsSync(tmpdir());

describe('a model of three gibibytes', () => {
  test.skipIf(bavail * bsize < 4 * gibibyte)(
    'is read to its end, described, and refused as too large for the runtime; its weights are never held',
    async () => {
      const path = join(temporaryFolder(), 'large.onnx');
      // Whole in structure: a graph with one tensor whose bytes are a hole in the file.
      const raw = 3 * gibibyte;
      const head = Buffer.concat([numberField(1, raw / 4), numberField(2, 1), bytesField(8, 'w')]);
      const tensor = Buffer.concat([head, tag(9, 2), varint(raw)]);
      const before = Buffer.concat([
        graphContent(),
        tag(5, 2),
        varint(tensor.length + raw),
        tensor,
      ]);
      const start = Buffer.concat([rawModel(), tag(7, 2), varint(before.length + raw), before]);
      const file = openSync(path, 'w');
      writeSync(file, start);
      ftruncateSync(file, start.length + raw);
      closeSync(file);
      expect(statSync(path).blocks * 512).toBeLessThan(gibibyte);
      const rss = process.memoryUsage().rss;
      // With this heap a scanner that kept a tenth of the weights would not survive.
      const { report } = await pass(path, { heapBytes: 128 * 2 ** 20, dataBytes: gibibyte });
      expect(process.memoryUsage().rss - rss).toBeLessThan(512 * 2 ** 20);
      expect(rulesIn(report)).toContain('SR-ONNX-012');
      expect(
        report.findings.filter(
          ({ ruleId }) => ruleId.startsWith('SR-SCAN') || ruleId === 'SR-ONNX-001',
        ),
      ).toEqual([]);
      expect(report.model).toMatchObject({ sizeBytes: start.length + raw, parameters: raw / 4 });
    },
  );
});
