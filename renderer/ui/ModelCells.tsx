import { State } from './State.tsx';
import { driftTone, driftWord, stageTone } from './words.ts';

/** The cells of a model's row, the same wherever models are listed. */

export function InProduction({ version }: { readonly version: number | null }) {
  return version === null ? <span className="quiet">none</span> : `@${version}`;
}

export function NewestStage({
  latest,
}: {
  readonly latest: { readonly version: number; readonly stage: string };
}) {
  return <State tone={stageTone(latest.stage)}>{`@${latest.version} ${latest.stage}`}</State>;
}

/** A model that was never watched has no state, so it gets no mark. */
export function Drift({ state }: { readonly state: string }) {
  return state === 'unknown' ? (
    <span className="quiet nowrap">{driftWord(state)}</span>
  ) : (
    <State tone={driftTone(state)}>{driftWord(state)}</State>
  );
}
