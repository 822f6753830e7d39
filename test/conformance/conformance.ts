/**
 * `npm run conformance -- [DIR] [--runtime wasm] [--list]`: ONNX backend test cases through the product's gate and run path. Prints how
 * many passed, were refused and for which reasons, are disputed (`disputed.ts`), failed, crashed; ends with 1 when one failed or crashed.
 */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { byLotReason } from './by-lot.ts';
import { runCases, type CaseResult } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: 'native' },
    list: { type: 'boolean', default: false },
  },
});
const dir = resolve(
  process.env['INIT_CWD'] ?? '.',
  positionals[0] ?? '/usr/share/libonnx-testdata/data',
);
const started = performance.now();
const results = await runCases(dir, { runtime: values.runtime === 'wasm' ? 'wasm' : 'native' });
const of = (verdict: CaseResult['verdict']): CaseResult[] =>
  results.filter((result) => result.verdict === verdict);
const show = ({ folder, reason }: CaseResult): void =>
  console.log(`  ${relative(dir, folder)}: ${reason}`);

console.log(
  `${results.length} cases in ${dir}, ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
const lots = of('passed').filter(({ reason }) => reason === byLotReason).length;
console.log(
  `passed ${of('passed').length}, ${lots} of them draw lots and passed by type and sizes`,
);
console.log(`refused ${of('refused').length}`);
if (values.list) of('refused').forEach(show);
else
  for (const [reason, cases] of Map.groupBy(of('refused'), (result) => result.reason))
    console.log(`  ${cases.length} × ${reason}`);
for (const verdict of ['disputed', 'failed', 'crashed'] as const) {
  console.log(`${verdict} ${of(verdict).length}`);
  of(verdict).forEach(show);
}
if (results.length === 0) console.log('There are no cases in this folder.');
process.exitCode = of('failed').length + of('crashed').length > 0 || results.length === 0 ? 1 : 0;
