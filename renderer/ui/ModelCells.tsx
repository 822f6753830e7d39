import { State } from './State.tsx';
import { driftTone, driftWord, stageTone } from './words.ts';

/** The cells of a model's row, the same wherever models are listed. */

export function InProduction({
  model: { production, overridden },
}: {
  readonly model: { readonly production: number | null; readonly overridden: readonly number[] };
}) {
  if (production === null) return <span className="quiet">none</span>;
  return (
    <span className="row">
      {`@${production}`}
      <Overridden of={production} versions={overridden} />
    </span>
  );
}

/** A mark on a version that was let in against the gate, for as long as it is there. */
function Overridden({
  of,
  versions,
}: {
  readonly of: number;
  readonly versions: readonly number[];
}) {
  return versions.includes(of) ? <State tone="watch">overridden</State> : null;
}

export function NewestStage({
  model: { latest, overridden },
}: {
  readonly model: {
    readonly latest: { readonly version: number; readonly stage: string };
    readonly overridden: readonly number[];
  };
}) {
  return (
    <span className="row">
      <State tone={stageTone(latest.stage)}>{`@${latest.version} ${latest.stage}`}</State>
      <Overridden of={latest.version} versions={overridden} />
    </span>
  );
}

/** A model that was never watched has no state, so it gets no mark. */
export function Drift({ state }: { readonly state: string }) {
  return state === 'unknown' ? (
    <span className="quiet nowrap">{driftWord(state)}</span>
  ) : (
    <State tone={driftTone(state)}>{driftWord(state)}</State>
  );
}
