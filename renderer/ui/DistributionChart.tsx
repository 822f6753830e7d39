import { compact, percent } from '../lib/format.ts';
import { useWidth } from './use-width.ts';

export interface Distribution {
  readonly edges: readonly number[] | null;
  readonly labels: readonly string[] | null;
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

const height = 210;
const left = 44;
const bottom = 34;

/** Two distributions over the same bins: the reference as bars, the current one as bars beside or an outline over them. */
export function DistributionChart({
  name,
  distribution,
}: {
  readonly name: string;
  readonly distribution: Distribution;
}) {
  const [ref, width] = useWidth(420);
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
  /** Letters that fit under one category. */
  const most = Math.max(3, Math.floor(step / 7.5));
  return (
    <figure ref={ref}>
      <svg
        className="chart"
        height={height}
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
                {label.length > most ? `${label.slice(0, most - 1)}…` : label}
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
