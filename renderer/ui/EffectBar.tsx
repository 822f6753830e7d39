import { compact } from '../lib/format.ts';
import { useWidth } from './use-width.ts';

const left = 44;

/** How far a column moved, beside the band within which moving counts for nothing. */
export function EffectBar({
  value,
  threshold,
}: {
  readonly value: number;
  readonly threshold: number;
}) {
  const [ref, width] = useWidth(420);
  const whole = Math.max(value, threshold) * 1.15 || 1;
  const x = (amount: number): number => left + ((width - left - 8) * amount) / whole;
  return (
    <svg
      ref={ref}
      height={40}
      className="chart effect"
      viewBox={`0 0 ${width} 40`}
      role="img"
      aria-label={`Effect ${compact(value)}; it counts from ${compact(threshold)}`}
    >
      <rect className="band" x={left} y={4} width={x(threshold) - left} height={16} />
      <rect
        className="point"
        data-state={value >= threshold ? 'act' : 'reference'}
        x={left}
        y={9}
        width={x(value) - left}
        height={6}
      />
      <line className="edge" x1={x(threshold)} x2={x(threshold)} y1={2} y2={22} />
      {x(threshold) < left + 70 ? null : (
        <text x={left} y={36}>
          no effect
        </text>
      )}
      <text x={x(threshold)} y={36} textAnchor={x(threshold) > width - 90 ? 'end' : 'start'}>
        {`counts from ${compact(threshold)}`}
      </text>
    </svg>
  );
}
