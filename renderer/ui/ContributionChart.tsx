import { useWidth } from './use-width.ts';

export interface Contribution {
  readonly name: string;
  /** What the column holds. */
  readonly holds: string;
  readonly amount: number;
  /** Standard error; 0 for an exact amount. */
  readonly error: number;
  /** The amount as it reads. */
  readonly text: string;
}

const rowHeight = 26;
const top = 4;

/** How far each column moves a number up or down from where it starts, with the error of each. */
export function ContributionChart({
  label,
  rows,
}: {
  readonly label: string;
  readonly rows: readonly Contribution[];
}) {
  const [ref, width] = useWidth(420);
  const left = Math.min(230, Math.max(130, width * 0.42));
  const right = 64;
  const reach = Math.max(...rows.map(({ amount, error }) => Math.abs(amount) + error), 1e-12);
  const middle = left + (width - left - right) / 2;
  const half = (width - left - right) / 2 - 2;
  const x = (amount: number): number => middle + (half * amount) / reach;
  const height = top * 2 + rows.length * rowHeight;
  /** Letters that fit beside the bars. */
  const most = Math.floor((left - 8) / 6.4);
  return (
    <svg
      ref={ref}
      className="chart contributions"
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
    >
      <line className="axis" x1={middle} x2={middle} y1={0} y2={height} />
      {rows.map(({ name, holds, amount, error, text }, at) => {
        const y = top + at * rowHeight;
        const centre = y + rowHeight / 2;
        const title = holds === '' ? name : `${name} ${holds}`;
        return (
          <g key={name}>
            <text x={left - 8} y={centre + 4} textAnchor="end">
              {title.length > most ? `${title.slice(0, most - 1)}…` : title}
            </text>
            <rect
              className={amount < 0 ? 'down' : 'up'}
              x={Math.min(middle, x(amount))}
              width={Math.max(1, Math.abs(x(amount) - middle))}
              y={y + 5}
              height={rowHeight - 10}
            />
            {error === 0 ? null : (
              <path
                className="error"
                d={`M${x(amount - error)},${centre} H${x(amount + error)} M${x(amount - error)},${centre - 3} v6 M${x(amount + error)},${centre - 3} v6`}
              />
            )}
            <text x={width - 2} y={centre + 4} textAnchor="end" className="amount">
              {text}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
