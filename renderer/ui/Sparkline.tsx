import { useId } from 'react';

type PointState = 'ok' | 'watch' | 'act' | 'reference';

const heights: Readonly<Record<PointState, number>> = { reference: 4, ok: 6, watch: 11, act: 16 };
const most = 16;
const step = 7;
const tall = 18;

/** The latest runs as bars: the further a run moved, the taller, so that colour is not needed to read it. */
export function Sparkline({
  states,
  label,
}: {
  readonly states: readonly PointState[];
  readonly label: string;
}) {
  const id = useId();
  const shown = states.slice(-most);
  const width = most * step;
  return (
    <svg className="spark" width={width} height={tall} role="img" aria-labelledby={id}>
      <title id={id}>{label}</title>
      <line className="axis" x1={0} x2={width} y1={tall - 0.5} y2={tall - 0.5} />
      {shown.map((state, at) => (
        <rect
          key={at}
          className="point"
          data-state={state}
          x={width - (shown.length - at) * step}
          y={tall - 1 - heights[state]}
          width={step - 2}
          height={heights[state]}
        />
      ))}
    </svg>
  );
}
