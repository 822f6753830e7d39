import { z } from 'zod';
import type { NamedSlot } from '../draft.ts';
import { murmur3 } from './murmur.ts';
import { columnList, columnName, defineStep } from './step.ts';

/**
 * `{ "step": "hash", "columns": ["city", "branch"], "features": 64, "as": "place" }`: in the place of the columns `place_0` to
 * `place_63`, as scikit-learn's `FeatureHasher` makes them of texts: each value that is there adds +1 or −1 (with `signed` false
 * always +1) at the place that the hash of `city=Paris` says. `city` is the name of the column when the step begins.
 */
export const hashSchema = z.strictObject({
  step: z.literal('hash'),
  columns: columnList,
  features: z.int().min(1).max(4096),
  signed: z.boolean().optional(),
  as: columnName,
});
export const hash = defineStep<typeof hashSchema>({
  apply({ columns, features, signed = true, as }, draft) {
    const reads = columns.map((name) => ({ name, slot: draft.read(name, 'text') }));
    const slots = draft.add({
      reads: reads.map(({ slot }) => slot),
      count: features,
      run(data, { rows }) {
        const made = Array.from({ length: features }, () => new Float64Array(rows));
        for (const [column, texts] of data.entries()) {
          if (texts.kind !== 'text') continue;
          const prefix = `${reads[column]?.name ?? ''}=`;
          const known = new Map<string, Hashed>();
          for (const [at, value] of texts.values.entries()) {
            if (value === null || value === '') continue;
            const hashed = known.get(value) ?? hashOf(prefix + value, features);
            if (known.size < 10_000) known.set(value, hashed);
            const target = made[hashed.place];
            if (target !== undefined) target[at] = (target[at] ?? 0) + (signed ? hashed.sign : 1);
          }
        }
        return made.map((values) => ({ kind: 'number' as const, values }));
      },
    });
    const [first = '', ...others] = reads.map(({ name }) => draft.find(name) ?? name);
    draft.replace(
      new Map<string, readonly NamedSlot[]>([
        [first, slots.map((slot, place) => [`${as}_${place}`, slot] as const)],
        ...others.map((name): [string, readonly NamedSlot[]] => [name, []]),
      ]),
    );
  },
});

interface Hashed {
  readonly place: number;
  readonly sign: 1 | -1;
}

function hashOf(token: string, features: number): Hashed {
  const signed = murmur3(Buffer.from(token, 'utf8'));
  // The one number whose absolute value does not fit; scikit-learn counts it like this.
  const size = signed === -(2 ** 31) ? 2 ** 31 - 1 - (features - 1) : Math.abs(signed);
  return { place: size % features, sign: signed >= 0 ? 1 : -1 };
}
