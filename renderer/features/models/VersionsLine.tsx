import type { ModelSummary, VersionSummary } from '#shared/contract/models.ts';
import { plural } from '../../lib/format.ts';
import { State } from '../../ui/State.tsx';
import { Time } from '../../ui/Time.tsx';
import { driftTone, driftWord, stageTone } from '../../ui/words.ts';

const most = 5;

/** The model at a glance: what it is for, its latest versions and their stages, its last run. */
export function VersionsLine({
  summary,
  versions,
  describes,
}: {
  readonly summary: ModelSummary;
  readonly versions: readonly VersionSummary[];
  /** The card says it already. */
  readonly describes: boolean;
}) {
  const earlier = versions.length - most;
  return (
    <div className="stack">
      {summary.description === null || !describes ? null : (
        <p className="quiet">{summary.description}</p>
      )}
      <div className="versions-line">
        <span className="row">
          {versions.slice(0, most).map(({ version, stage }) => (
            <State key={version} tone={stageTone(stage)}>{`@${version} ${stage}`}</State>
          ))}
          {earlier > 0 ? <span className="quiet">{plural(earlier, 'earlier version')}</span> : null}
        </span>
        {summary.lastRunAt === null ? (
          <span className="quiet">It has not run yet.</span>
        ) : (
          <span className="row">
            <span className="quiet">
              Last run <Time at={summary.lastRunAt} />
            </span>
            <State tone={driftTone(summary.monitorState)}>{driftWord(summary.monitorState)}</State>
          </span>
        )}
      </div>
    </div>
  );
}
