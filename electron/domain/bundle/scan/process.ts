/**
 * In the core: a scanner process for one model. It is given the bytes as the gate reads them, the same that are hashed and
 * stored, and never more than it has taken. A child that dies, hangs, outgrows its memory or answers nonsense is a finding of
 * the rules SR-SCAN; the core and the pass over the bundle go on.
 */
import { childScript } from '#platform/child-script.ts';
import { startReader, type Ending, type ReaderLimits } from '#platform/contained-reader.ts';
import { longestAnswer, scanAnswer, type ScanAnswer } from './answer.ts';

export type ScanLimits = ReaderLimits;

const defaultLimits: ScanLimits = {
  heapBytes: 2 ** 30,
  dataBytes: 2 * 2 ** 30,
  processorSeconds: 600,
  silenceMs: 60_000,
  answerBytes: longestAnswer,
};

export interface Scanner {
  /** Resolves when the chunk has been taken and may be used again; never rejects. */
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<ScanAnswer>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startScanner(limits: Partial<ScanLimits> = {}): Promise<Scanner> {
  const reader = await startReader(childScript('scanner'), { ...defaultLimits, ...limits });
  return { ...reader, end: async () => toAnswer(await reader.end()) };
}

const ruleOf = {
  silent: 'SR-SCAN-002',
  processor: 'SR-SCAN-002',
  memory: 'SR-SCAN-003',
  died: 'SR-SCAN-001',
} as const satisfies Record<
  Exclude<Ending['how'], 'answered'>,
  ScanAnswer['findings'][number]['ruleId']
>;

function toAnswer(ending: Ending): ScanAnswer {
  if (ending.how !== 'answered') return contained(ruleOf[ending.how], ending.message);
  try {
    return scanAnswer.parse(JSON.parse(ending.answer.toString('utf8')));
  } catch {
    return contained('SR-SCAN-001', 'Its answer cannot be read.');
  }
}

function contained(ruleId: ScanAnswer['findings'][number]['ruleId'], message: string): ScanAnswer {
  return { findings: [{ ruleId, message }], facts: null, external: [] };
}
