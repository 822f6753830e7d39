import { useWidth } from './use-width.ts';

interface TimelinePoint {
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
  const [ref, width] = useWidth(900);
  const step = (width - 40) / Math.max(1, shown.length - 1);
  return (
    <svg
      ref={ref}
      className="chart"
      height={56}
      viewBox={`0 0 ${width} 56`}
      role="group"
      aria-label="Runs in time"
    >
      <line className="axis" x1={14} x2={width - 14} y1={24} y2={24} />
      {shown.map((point, at) => (
        <g
          key={point.id}
          transform={`translate(${shown.length === 1 ? width / 2 : 20 + at * step},24)`}
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
            onKeyDown={(event) => {
              if (event.key !== 'Enter' && event.key !== ' ') return;
              event.preventDefault();
              onSelect(point.id);
            }}
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
          <text x={width - 14} y={50} textAnchor="end">
            {shown.at(-1)?.at}
          </text>
        </>
      )}
    </svg>
  );
}
