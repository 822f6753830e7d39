import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { driftReport } from '#shared/contract/monitor.ts';
import {
  compareProfiles,
  createProfiler,
  profileSchema,
  profileState,
  type ColumnSpec,
  type Profile,
} from '#domain/monitoring/index.ts';
import { toColumn, type ProfiledValue } from '../../../support/columns.ts';

/** mulberry32: the same numbers on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function profileOf(
  specs: readonly ColumnSpec[],
  rows: number,
  row: () => readonly ProfiledValue[],
): Profile {
  const profiler = createProfiler(specs);
  const all = Array.from({ length: rows }, row);
  for (const at of specs.keys())
    profiler.add(at, toColumn(all.map((values) => values[at] ?? null)));
  profiler.addRows(rows);
  return profiler.finish();
}

const numeric = (name: string): ColumnSpec => ({ name, role: 'input', kind: 'numeric' });
const category = (name: string): ColumnSpec => ({ name, role: 'input', kind: 'categorical' });
const wide = Array.from({ length: 30 }, (_, at) => numeric(`x${at}`));

describe('false alarms', () => {
  test.each([
    [5000, 200],
    [1000, 200],
    [4000, 2000],
  ])('thirty unchanged columns, %d rows against %d, rarely raise anything', (n, m) => {
    const random = seeded(n + m);
    const row = (): number[] => wide.map(() => normal(random));
    const reference = profileOf(wide, n, row);
    let alarms = 0;
    for (let round = 0; round < 40; round += 1)
      if (compareProfiles(reference, profileOf(wide, m, row)).state !== 'ok') alarms += 1;
    expect(alarms).toBeLessThanOrEqual(4);
  });

  test('unchanged categories rarely raise anything', () => {
    const random = seeded(3);
    const specs = [category('a'), category('b'), { ...category('c'), kind: 'boolean' as const }];
    const row = (): ProfiledValue[] => [
      `a${Math.floor(random() * 12)}`,
      random() < 0.9 ? 'usual' : `b${Math.floor(random() * 4)}`,
      random() < 0.3,
    ];
    const reference = profileOf(specs, 4000, row);
    let alarms = 0;
    for (let round = 0; round < 40; round += 1)
      if (compareProfiles(reference, profileOf(specs, 200, row)).state !== 'ok') alarms += 1;
    expect(alarms).toBeLessThanOrEqual(4);
  });
});

describe('drift', () => {
  test('a shift of half a standard deviation in one of thirty columns is found and ranked first', () => {
    const random = seeded(11);
    const reference = profileOf(wide, 4000, () => wide.map(() => normal(random)));
    let found = 0;
    for (let round = 0; round < 20; round += 1) {
      const report = compareProfiles(
        reference,
        profileOf(wide, 500, () => wide.map((_, at) => normal(random) + (at === 7 ? 0.5 : 0))),
      );
      if (report.state === 'act' && report.columns[0]?.name === 'x7') found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(19);
  });

  test('names what happened: missing values, unseen categories, values out of range, shares', () => {
    const random = seeded(5);
    const specs: ColumnSpec[] = [
      { ...numeric('age'), min: 18, max: 100 },
      numeric('income'),
      category('region'),
      { ...category('owner'), kind: 'boolean' },
      numeric('steady'),
    ];
    const reference = profileOf(specs, 2000, () => [
      20 + random() * 60,
      random(),
      random() < 0.5 ? 'north' : 'south',
      random() < 0.2,
      normal(random),
    ]);
    const current = profileOf(specs, 1000, () => [
      random() < 0.1 ? 200 : 20 + random() * 60,
      random() < 0.3 ? null : random(),
      random() < 0.5 ? 'north' : 'west',
      random() < 0.6,
      normal(random),
    ]);
    const report = compareProfiles(reference, current);
    expect(driftReport.parse(report)).toEqual(report);
    const byName = new Map(report.columns.map((column) => [column.name, column]));
    expect(byName.get('age')).toMatchObject({
      state: 'act',
      reason: expect.stringContaining('declared range') as string,
    });
    expect(byName.get('income')).toMatchObject({
      state: 'act',
      reason: expect.stringContaining('missing') as string,
    });
    expect(byName.get('region')).toMatchObject({
      state: 'act',
      method: 'chi-square',
      reason: expect.stringContaining('does not know') as string,
    });
    expect(byName.get('owner')).toMatchObject({ state: 'act', method: 'two-proportion' });
    expect(byName.get('steady')).toMatchObject({ state: 'ok', method: 'ks' });
    expect(report.summary).toMatch(/^4 of 5 columns drifted/);
    for (const { distribution } of report.columns) {
      const total = (shares: number[]): number => shares.reduce((sum, share) => sum + share, 0);
      expect(total(distribution.reference)).toBeCloseTo(1, 9);
      expect(total(distribution.current)).toBeCloseTo(1, 9);
    }
  });

  test('a huge sample makes a tiny shift significant, and still not worth an action', () => {
    const random = seeded(8);
    const specs = [numeric('x')];
    const reference = profileOf(specs, 50_000, () => [normal(random)]);
    expect(
      compareProfiles(
        reference,
        profileOf(specs, 50_000, () => [normal(random) + 0.04]),
      ).state,
    ).toBe('ok');
    expect(
      compareProfiles(
        reference,
        profileOf(specs, 50_000, () => [normal(random) + 0.2]),
      ).state,
    ).toBe('watch');
  });

  test('too few rows are said to be too few', () => {
    const specs = [numeric('x')];
    const reference = profileOf(specs, 1000, () => [1]);
    const report = compareProfiles(
      reference,
      profileOf(specs, 20, () => [100]),
    );
    expect(report).toMatchObject({ state: 'ok', tooFewRows: true });
    expect(report.summary).toContain('too few');
  });

  test('empty, constant and all-missing columns are compared without a fault', () => {
    const specs = [numeric('empty'), numeric('constant'), category('blank')];
    const profile = profileOf(specs, 50, () => [null, 4, '']);
    const other = profileOf(specs, 50, () => [1, 4, 'x']);
    for (const [a, b] of [
      [profile, profile],
      [profile, other],
      [other, profile],
    ] as const) {
      expect(driftReport.safeParse(JSON.parse(JSON.stringify(compareProfiles(a, b)))).success).toBe(
        true,
      );
    }
  });
});

describe('profiles', () => {
  test('quantiles of a long stream are close in rank', () => {
    const random = seeded(21);
    const values = Array.from({ length: 200_000 }, () => Math.exp(normal(random)));
    let at = 0;
    const [column] = profileOf([numeric('x')], values.length, () => [values[at++] ?? 0]).columns;
    if (column?.kind !== 'numeric') throw new Error('A numeric column was expected.');
    const sorted = values.toSorted((a, b) => a - b);
    for (const [point, value] of column.quantiles.entries()) {
      const trueRank = sorted.findIndex((other) => other >= value) / sorted.length;
      expect(Math.abs(trueRank - point / 256)).toBeLessThan(0.01);
    }
    expect(column.quantiles[0]).toBe(sorted[0]);
    expect(column.quantiles.at(-1)).toBe(sorted.at(-1));
    expect(column.mean).toBeCloseTo(
      values.reduce((sum, value) => sum + value, 0) / values.length,
      9,
    );
  });

  test.each([
    [100_000, 3100],
    [300_000, 9000],
  ])('quantiles of %i rows in parts of %i, merged, are close in rank', (rows, partRows) => {
    const random = seeded(22);
    const columns = Array.from({ length: 2 }, () =>
      Float64Array.from({ length: rows }, () => normal(random)),
    );
    const specs = columns.map((_, at) => numeric(`x${at}`));
    const whole = createProfiler(specs);
    for (let from = 0; from < rows; from += partRows) {
      const part = createProfiler(specs, from + 1);
      const to = Math.min(rows, from + partRows);
      for (const [at, values] of columns.entries())
        part.add(at, { kind: 'number', values: values.subarray(from, to) });
      part.addRows(to - from);
      whole.merge(profileState.parse(JSON.parse(JSON.stringify(part.part()))));
    }
    for (const [at, column] of whole.finish().columns.entries()) {
      if (column.kind !== 'numeric') throw new Error('A numeric column was expected.');
      const sorted = columns[at]?.toSorted() ?? new Float64Array();
      expect(column.count).toBe(rows);
      expect([column.quantiles[0], column.quantiles.at(-1)]).toEqual([sorted[0], sorted.at(-1)]);
      for (const [point, value] of column.quantiles.entries()) {
        const trueRank = sorted.findIndex((other) => other >= value) / rows;
        expect(Math.abs(trueRank - point / 256)).toBeLessThan(0.01);
      }
    }
  });

  test('values that repeat in step with parts of the same length are sampled evenly', () => {
    const specs = [numeric('x')];
    const whole = createProfiler(specs);
    const [rows, partRows, values] = [248_000, 8000, 16];
    for (let from = 0; from < rows; from += partRows) {
      const part = createProfiler(specs, from + 1);
      part.add(0, {
        kind: 'number',
        values: Float64Array.from({ length: partRows }, (_, at) => (from + at) % values),
      });
      part.addRows(partRows);
      whole.merge(part.part());
    }
    const [column] = whole.finish().columns;
    if (column?.kind !== 'numeric') throw new Error('A numeric column was expected.');
    // How far a rank is from those that the value has in the data.
    const errors = column.quantiles.map((value, point) =>
      Math.max(0, value / values - point / 256, point / 256 - (value + 1) / values),
    );
    expect(Math.max(...errors)).toBeLessThan(0.006);
  });

  test('moments are those of the finite numbers, whatever is missing and whichever rows are kept', () => {
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, 0, -0) },
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), fc.boolean(), (list, isFloat) => {
        const profiler = createProfiler([{ ...numeric('x'), min: -1000, max: 1000 }]);
        profiler.add(0, { kind: 'number', values: Float64Array.from(list) }, undefined, isFloat);
        profiler.addRows(list.length);
        const [column] = profiler.finish().columns;
        if (column?.kind !== 'numeric') throw new Error('A numeric column was expected.');
        const finite = list
          .filter(Number.isFinite)
          .map((one) => (isFloat ? Math.fround(one) : one));
        const mean = finite.reduce((sum, one) => sum + one, 0) / Math.max(1, finite.length);
        const variance =
          finite.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, finite.length);
        expect(column.count).toBe(finite.length);
        expect(column.missing).toBe(list.length - finite.length);
        expect(column.outOfRange).toBe(finite.filter((one) => Math.abs(one) > 1000).length);
        expect(Math.abs(column.mean - mean)).toBeLessThan(1e-6);
        expect(Math.abs(column.sd - Math.sqrt(variance))).toBeLessThan(1e-3);
      }),
    );
  });

  test('a part without rows changes nothing', () => {
    const profiler = createProfiler([numeric('x')]);
    profiler.add(0, toColumn([]));
    profiler.add(0, { kind: 'number', values: new Float64Array(0) });
    profiler.add(0, toColumn([3, 1, 2]));
    profiler.addRows(3);
    let at = 0;
    const values = [3, 1, 2];
    expect(profiler.finish()).toEqual(profileOf([numeric('x')], 3, () => [values[at++] ?? null]));
  });

  test('keeps no values of a column that names people', () => {
    let id = 0;
    const profile = profileOf([category('id')], 5000, () => [`person-${(id += 1)}`]);
    expect(JSON.stringify(profile)).not.toContain('person-');
    expect(profile.columns[0]).toMatchObject({ count: 5000, values: null });
    expect(JSON.stringify(profile).length).toBeLessThan(500);
  });

  test('survives the way through JSON', () => {
    const profile = profileOf([numeric('x'), category('y')], 10, () => [Number.NaN, 'z']);
    expect(profileSchema.parse(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
  });
});
