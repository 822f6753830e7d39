import { compact, percent } from '../lib/format.ts';

export interface Distribution {
  readonly edges: readonly number[] | null;
  readonly labels: readonly string[] | null;
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

const width = 420;
const height = 210;
const left = 44;
const bottom = 34;
const timelineWidth = 900;

/** Two distributions over the same bins: the reference as bars, the current one as bars beside or an outline over them. */
export function DistributionChart({
  name,
  distribution,
}: {
  readonly name: string;
  readonly distribution: Distribution;
}) {
  const { edges, labels, reference, current } = distribution;
  const top = Math.max(...reference, ...current, 0.01);
  const inner = { w: width - left - 8, h: height - bottom - 8 };
  const step = inner.w / Math.max(1, reference.length);
  const y = (share: number): number => 8 + inner.h * (1 - share / top);
  const outline = current
    .map(
      (share, at) =>
        `${at === 0 ? 'M' : 'L'}${left + at * step},${y(share)} L${left + (at + 1) * step},${y(share)}`,
    )
    .join(' ');
  const ticks = [0, top / 2, top];
  return (
    <figure>
      <svg
        className="chart"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Distribution of ${name}: reference and current run`}
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line className="axis" x1={left} x2={width - 8} y1={y(tick)} y2={y(tick)} />
            <text x={left - 6} y={y(tick) + 4} textAnchor="end">
              {percent(tick)}
            </text>
          </g>
        ))}
        {reference.map((share, at) => (
          <rect
            key={at}
            className="reference"
            x={left + at * step + (labels === null ? 0.5 : step * 0.1)}
            width={labels === null ? Math.max(1, step - 1) : step * 0.38}
            y={y(share)}
            height={Math.max(0, y(0) - y(share))}
          />
        ))}
        {labels === null ? (
          <path className="current-outline" d={outline} />
        ) : (
          current.map((share, at) => (
            <rect
              key={at}
              className="current"
              x={left + at * step + step * 0.52}
              width={step * 0.38}
              y={y(share)}
              height={Math.max(0, y(0) - y(share))}
            />
          ))
        )}
        {labels !== null
          ? labels.map((label, at) => (
              <text key={label} x={left + (at + 0.5) * step} y={height - 14} textAnchor="middle">
                {label.length > 12 ? `${label.slice(0, 11)}…` : label}
              </text>
            ))
          : [0, Math.floor((edges?.length ?? 1) / 2), (edges?.length ?? 1) - 1].map((at) => (
              <text
                key={at}
                x={left + at * step}
                y={height - 14}
                textAnchor={at === 0 ? 'start' : at === (edges?.length ?? 1) - 1 ? 'end' : 'middle'}
              >
                {compact(edges?.[at] ?? 0)}
              </text>
            ))}
      </svg>
      <figcaption className="legend">
        <span>Reference</span>
        <span className="is-current">This run</span>
      </figcaption>
    </figure>
  );
}

export interface TimelinePoint {
  readonly id: string;
  readonly at: string;
  readonly state: 'ok' | 'watch' | 'act' | 'reference';
  readonly label: string;
}

const shapes = {
  ok: 'M-5,0 A5,5 0 1 0 5,0 A5,5 0 1 0 -5,0',
  watch: 'M0,-6 L6,5 L-6,5 Z',
  act: 'M-5,-5 H5 V5 H-5 Z',
  reference: 'M0,-6 L6,0 L0,6 L-6,0 Z',
} as const;

/** Runs in time: a shape and a colour for each state. */
export function RunTimeline({
  points,
  selected,
  onSelect,
}: {
  readonly points: readonly TimelinePoint[];
  readonly selected: string | null;
  readonly onSelect: (id: string) => void;
}) {
  const shown = points.slice(-60);
  const step = (timelineWidth - 40) / Math.max(1, shown.length - 1);
  return (
    <svg
      className="chart"
      data-timeline
      viewBox={`0 0 ${timelineWidth} 56`}
      role="group"
      aria-label="Runs in time"
    >
      <line className="axis" x1={14} x2={timelineWidth - 14} y1={24} y2={24} />
      {shown.map((point, at) => (
        <g
          key={point.id}
          transform={`translate(${shown.length === 1 ? timelineWidth / 2 : 20 + at * step},24)`}
        >
          {point.id === selected ? <circle r={11} className="axis" fill="none" /> : null}
          <path
            className="point"
            data-state={point.state}
            d={shapes[point.state]}
            role="button"
            tabIndex={0}
            aria-label={point.label}
            aria-pressed={point.id === selected}
            onClick={() => onSelect(point.id)}
            onKeyDown={(event) =>
              event.key === 'Enter' || event.key === ' ' ? onSelect(point.id) : undefined
            }
          >
            <title>{point.label}</title>
          </path>
        </g>
      ))}
      {shown.length === 0 ? null : (
        <>
          <text x={14} y={50}>
            {shown[0]?.at}
          </text>
          <text x={timelineWidth - 14} y={50} textAnchor="end">
            {shown.at(-1)?.at}
          </text>
        </>
      )}
    </svg>
  );
}
