/** Inspection: the gate without a vault behind it. Nothing of the bundle is kept. */
import type { InspectReport } from '#shared/contract/bundles.ts';
import type { Clock } from '#platform/clock.ts';
import { digestOf, passGate, reportToSarif } from '#domain/bundle/index.ts';
import { parseTrustAnchor } from '#domain/identity/index.ts';
import type { CallContext } from './handler.ts';
import { knownForInspection } from './known-files.ts';
import type { OpenVaultState } from './open-state.ts';
import { readText, writeNew } from './small-files.ts';

export async function inspectBundle(
  { signal, report }: Pick<CallContext, 'signal' | 'report'>,
  input: {
    readonly path: string;
    /** Keys and certificates to trust for this inspection, beside those of the vault. */
    readonly trustPaths: readonly string[];
    /** A new file for the findings. */
    readonly sarifPath: string | undefined;
    /** Path of the model to look at, in place of the one that the bundle means. */
    readonly model: string | undefined;
  },
  {
    opened,
    clock,
    version,
  }: {
    readonly opened: OpenVaultState | undefined;
    readonly clock: Clock;
    readonly version: string;
  },
): Promise<InspectReport> {
  const given = await Promise.all(
    input.trustPaths.map(async (path, at) =>
      parseTrustAnchor(`key ${at + 1}`, await readText(path)),
    ),
  );
  let done = 0;
  const gate = await passGate(input.path, {
    trust: [...given, ...(opened?.trust.anchors() ?? [])],
    signers: opened?.policy.read().signers,
    model: input.model,
    known: opened === undefined ? undefined : knownForInspection(opened),
    now: clock(),
    signal,
    onBytes: (count) => report({ step: 'Reading', done: (done += count), unit: 'bytes' }),
    store: digestOf,
  });
  if (input.sarifPath !== undefined)
    await writeNew(input.sarifPath, reportToSarif(gate.report, { version }), 0o644);
  return gate.report;
}
