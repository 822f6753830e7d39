import { z } from 'zod';
import { byColumn, defineStep, mapColumns, mapNumbers } from './step.ts';

const finite = z.number();
const spread = z.number().nonnegative();

/**
 * `{ "step": "scale", "method": "standard", "columns": { "age": { "mean": 41.2, "sd": 12.5 } } }`, with the arithmetic of
 * scikit-learn's `StandardScaler`, `MinMaxScaler` (`min`, `max`; to 0…1 or `range`) and `RobustScaler` (`median`, `iqr`). A spread
 * of 0 counts as 1, as it does there.
 */
export const scaleSchema = z.discriminatedUnion('method', [
  z.strictObject({
    step: z.literal('scale'),
    method: z.literal('standard'),
    columns: byColumn(z.strictObject({ mean: finite, sd: spread })),
  }),
  z.strictObject({
    step: z.literal('scale'),
    method: z.literal('robust'),
    columns: byColumn(z.strictObject({ median: finite, iqr: spread })),
  }),
  z.strictObject({
    step: z.literal('scale'),
    method: z.literal('min-max'),
    columns: byColumn(
      z.strictObject({ min: finite, max: finite }).refine(({ min, max }) => min <= max),
    ),
    range: z
      .tuple([finite, finite])
      .refine(([low, high]) => low < high)
      .optional(),
  }),
]);
export const scale = defineStep<typeof scaleSchema>({
  apply(options, draft) {
    if (options.method === 'min-max') {
      const [low, high] = options.range ?? [0, 1];
      mapColumns(draft, options.columns, 'number', (data, { min, max }) => {
        const factor = (high - low) / notZero(max - min);
        const offset = low - min * factor;
        return mapNumbers(data, (value) => value * factor + offset);
      });
    } else if (options.method === 'standard')
      mapColumns(draft, options.columns, 'number', (data, { mean, sd }) =>
        mapNumbers(data, centred(mean, sd)),
      );
    else
      mapColumns(draft, options.columns, 'number', (data, { median, iqr }) =>
        mapNumbers(data, centred(median, iqr)),
      );
  },
});

function centred(centre: number, spreadOf: number): (value: number) => number {
  const divisor = notZero(spreadOf);
  return (value) => (value - centre) / divisor;
}

function notZero(value: number): number {
  return value === 0 ? 1 : value;
}
