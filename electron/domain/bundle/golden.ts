/** `golden/cases.json`: inputs and the outputs that their maker got. */
import { z } from 'zod';
import { atMost } from '#domain/pipeline/index.ts';

type Scalar = number | string | boolean | null;
const isScalar = (value: unknown): boolean =>
  value === null || ['number', 'string', 'boolean'].includes(typeof value);

const goldenTensor = z.strictObject({
  shape: atMost(8, z.int().nonnegative()),
  /** Row-major; int64 values as decimal text when they are beyond 2^53. `null` stands for a missing number. */
  data: z
    .array(z.unknown())
    .max(1_000_000)
    .pipe(z.custom<Scalar[]>((values) => Array.isArray(values) && values.every(isScalar))),
});
export const goldenCases = z.strictObject({
  schemaVersion: z.literal(1),
  /** Largest absolute difference that still counts as the same number. */
  tolerance: z.number().min(0).max(1),
  cases: atMost(
    1000,
    z.strictObject({
      inputs: z.record(z.string(), goldenTensor),
      outputs: z
        .record(z.string(), goldenTensor)
        .refine((outputs) => Object.keys(outputs).length > 0),
    }),
  ).refine((cases) => cases.length > 0),
});
export type GoldenCases = z.infer<typeof goldenCases>;
export type GoldenTensor = z.infer<typeof goldenTensor>;
