import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCases, type CaseResult } from '../conformance/run.ts';

/** Of Debian's libonnx-testdata, ONNX 1.12: 1,072 cases. */
const dir = '/usr/share/libonnx-testdata/data';

describe.skipIf(!existsSync(dir))(
  'the backend tests of ONNX, through the gate and the run path',
  () => {
    // The second is the build in which a model is run for the first time.
    test.each(['native', 'wasm'] as const)(
      '%s: each passes or is refused with a reason; none fails or crashes',
      async (runtime) => {
        const results = await runCases(dir, { runtime });
        const of = (verdict: CaseResult['verdict']): string[] =>
          results
            .filter((result) => result.verdict === verdict)
            .map(({ folder, reason }) => `${basename(folder)}: ${reason}`);
        expect(of('crashed')).toEqual([]);
        expect(of('failed')).toEqual([]);
        expect(of('disputed').length).toBeLessThanOrEqual(7);
        expect(of('refused').every((line) => /: .{10,}/.test(line))).toBe(true);
        expect(of('passed').length).toBeGreaterThanOrEqual(1055);
        expect(results.length).toBe(1072);
      },
    );
  },
);
