/** Acts on the catalog: done and described in one transaction, so that no kill can part the two. */
import { step } from '#platform/steps.ts';
import type { LifecycleOutcome } from '#domain/registry/index.ts';
import type { ActFacts } from './act-facts.ts';
import type { CallContext } from './handler.ts';
import type { OpenVaultState } from './open-state.ts';

/** One transaction over an act on the catalog and the facts that its outcome will state. */
export function atOnce<T>(
  { open, settle }: CallContext,
  act: (opened: OpenVaultState) => readonly [T, ActFacts],
): T {
  const opened = open();
  const done = opened.vault.catalog
    .transaction(() => {
      const [result, facts] = act(opened);
      settle(facts);
      return result;
    })
    .immediate();
  step('catalog: act committed');
  return done;
}

/** Writes down what a lifecycle act did; the production history is computed from these facts. */
export function changed(
  context: CallContext,
  act: (opened: OpenVaultState) => LifecycleOutcome,
): Omit<LifecycleOutcome, 'digest' | 'from' | 'to' | 'previous'> {
  return atOnce(context, (opened) => {
    const { digest, from, to, previous, ...result } = act(opened);
    const alias =
      result.status === 'done' && to === 'production' && from !== 'production'
        ? { alias: 'production' }
        : {};
    const facts = {
      objects: [{ type: 'version', id: `${result.model}@${result.version}`, digest }],
      details: {
        status: result.status,
        from,
        to,
        ...alias,
        ...(previous === undefined ? {} : { previous }),
      },
    };
    return [result, facts];
  });
}
