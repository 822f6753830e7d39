/** What is fuzzed: readers of bytes that come from outside. Each may refuse, with a finding; nothing else may come out. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, goldenCases, passGate } from '#domain/bundle/index.ts';
import { pipelineSchema } from '#domain/pipeline/index.ts';
import { parseCard } from '#domain/bundle/card.ts';
import { rules } from '#domain/bundle/rules.ts';
import { scanChunks } from '#domain/bundle/scan/child.ts';
import { checkSignatures, oneSigner } from '#domain/bundle/signatures/check.ts';
import { trusted, writeTar, writeZip } from '../support/bundles.ts';
import { byteCases } from '../support/hostile/bytes.ts';
import {
  bytesOf,
  columnsModel,
  endlessModel,
  matrixModel,
  zipMapModel,
} from '../support/onnx-models.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Protocol Buffers, whose fields can be mutated. */
  readonly isStructured: boolean;
  seeds(): Promise<Uint8Array[]>;
  /** Throws for what must not happen. */
  run(bytes: Uint8Array): Promise<void> | void;
}

/** Files for the targets that need one; gone at the end. */
const folder = mkdtempSync(join(tmpdir(), 'strongroom-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const scan: FuzzTarget = {
  name: 'scan',
  isStructured: true,
  async seeds() {
    const made = await Promise.all(
      byteCases.map(async ({ make }) => readFileSync(await make(folder))),
    );
    return [
      ...[matrixModel(), columnsModel(), endlessModel(), zipMapModel()].map(bytesOf),
      ...made.filter(({ length }) => length < 4096),
    ];
  },
  run(bytes) {
    const step = 1 + (bytes[bytes.length >> 1] ?? 0);
    const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) =>
      bytes.subarray(at * step, (at + 1) * step),
    );
    const answer = scanChunks(chunks) as { findings: { ruleId: string }[]; facts: unknown };
    for (const { ruleId } of answer.findings)
      if (!Object.hasOwn(rules, ruleId)) throw new Error(`No such rule: ${ruleId}`);
    if (answer.facts === null && answer.findings.length === 0)
      throw new Error('Nothing was read, and nothing said.');
    // However a file is cut, the answer is the same.
    if (JSON.stringify(scanChunks([bytes])) !== JSON.stringify(answer))
      throw new Error('The answer depends on the chunks.');
  },
};

const containers: FuzzTarget = {
  name: 'containers',
  isStructured: false,
  async seeds() {
    const entries = [
      { name: 'weights.bin', content: Buffer.alloc(700, 3) },
      { name: 'docs/notes.txt', content: 'read me' },
    ];
    const tar = readFileSync(await writeTar(join(folder, 'seed.tar'), entries));
    return [readFileSync(await writeZip(join(folder, 'seed.zip'), entries)), tar, gzipSync(tar)];
  },
  async run(bytes) {
    const path = join(folder, 'x.zip');
    writeFileSync(path, bytes);
    await passGate(path, { trust: [], now: new Date(0), store: digestOf });
  },
};

const signatures: FuzzTarget = {
  name: 'signatures',
  isStructured: false,
  seeds: async () =>
    ['key', 'certificate', 'sigstore'].map((name) =>
      readFileSync(join(import.meta.dirname, `../vectors/oms/valid/${name}.bundle.json`)),
    ),
  run(bytes) {
    const { decisive } = checkSignatures({
      signatures: new Map([['model.sig', bytes]]),
      files: { paths: ['model.onnx'], digests: () => ['00'.repeat(32)] },
      trust: [trusted],
      rule: oneSigner,
      now: new Date(0),
    });
    if (decisive.status === 'verified') throw new Error('A signature by nobody was verified.');
  },
};

const descriptions: FuzzTarget = {
  name: 'descriptions',
  isStructured: false,
  seeds: async () => [
    Buffer.from(
      JSON.stringify({
        schemaVersion: 1,
        columns: [{ name: 'a', kind: 'numeric', min: 0, max: 9 }],
        matrix: { input: 'x', columns: ['a'] },
      }),
    ),
    Buffer.from(
      JSON.stringify({
        schemaVersion: 1,
        tolerance: 0.1,
        cases: [
          {
            inputs: { x: { shape: [1, 1], data: [42] } },
            outputs: { y: { shape: [1, 1], data: [0.5] } },
          },
        ],
      }),
    ),
    readFileSync(join(import.meta.dirname, '../../resources/sample/credit-risk/bom.cdx.json')),
  ],
  run(bytes) {
    const text = Buffer.from(bytes).toString('utf8');
    parseCard(bytes);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    pipelineSchema.safeParse(value);
    goldenCases.safeParse(value);
  },
};

export const targets: readonly FuzzTarget[] = [scan, containers, signatures, descriptions];
