import { z } from 'zod';
import type { NamedSlot } from '../draft.ts';
import { columnList, defineStep } from './step.ts';

interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

const wave = (of: (angle: number) => number, turn: number): number => of(2 * Math.PI * turn);

const partOf = {
  year: ({ year }: Moment) => year,
  /** 1 to 12. */
  month: ({ month }: Moment) => month,
  day: ({ day }: Moment) => day,
  /** 1 to 366. */
  yearday: (moment: Moment) => 1 + daysOf(moment) - daysOf({ ...moment, month: 1, day: 1 }),
  /** 0 is Monday, as in Python. */
  weekday: (moment: Moment) => weekdayOf(moment),
  /** With the minutes as a fraction. */
  hour: ({ hour, minute }: Moment) => hour + minute / 60,
  month_sin: ({ month }: Moment) => wave(Math.sin, (month - 1) / 12),
  month_cos: ({ month }: Moment) => wave(Math.cos, (month - 1) / 12),
  weekday_sin: (moment: Moment) => wave(Math.sin, weekdayOf(moment) / 7),
  weekday_cos: (moment: Moment) => wave(Math.cos, weekdayOf(moment) / 7),
  hour_sin: ({ hour, minute }: Moment) => wave(Math.sin, (hour + minute / 60) / 24),
  hour_cos: ({ hour, minute }: Moment) => wave(Math.cos, (hour + minute / 60) / 24),
} as const;

type Part = keyof typeof partOf;
const partNames = Object.keys(partOf) as [Part, ...Part[]];

/**
 * `{ "step": "date", "columns": ["opened"], "parts": ["year", "weekday"], "zone": "written" }`: in the place of the column one for
 * each part, called `opened_year`, `opened_weekday`. Dates are ISO 8601: `2024-05-03`, with `T14:00` or ` 14:00:00.5` behind it and with `Z` or
 * `+02:00` behind that. With zone `written` the parts are those that are written, whatever the offset; with `utc` they are
 * those of the moment in UTC, and a date without an offset is in UTC already. Anything else rejects its row with `date`; what is missing
 * stays missing.
 */
export const dateSchema = z.strictObject({
  step: z.literal('date'),
  columns: columnList,
  parts: z.array(z.enum(partNames)).min(1).max(partNames.length),
  zone: z.enum(['written', 'utc']).optional(),
});
export const date = defineStep<typeof dateSchema>({
  apply({ columns, parts, zone = 'written' }, draft) {
    const made = new Map<string, readonly NamedSlot[]>();
    for (const name of columns) {
      const standing = draft.find(name) ?? name;
      const read = draft.read(standing, 'text');
      const slots = draft.add({
        reads: [read],
        count: parts.length,
        run([data], marks) {
          if (data?.kind !== 'text') return [];
          const values = parts.map(() => new Float64Array(marks.rows).fill(Number.NaN));
          for (const [at, text] of data.values.entries()) {
            if (text === null || text.trim() === '' || marks.isBad(at)) continue;
            const moment = parseMoment(text.trim(), zone);
            if (moment === undefined) marks.reject(at, read.column, 'date');
            else
              for (const [place, part] of parts.entries()) {
                const column = values[place];
                if (column !== undefined) column[at] = partOf[part](moment);
              }
          }
          return values.map((column) => ({ kind: 'number' as const, values: column }));
        },
      });
      made.set(
        standing,
        slots.map((slot, place) => [`${standing}_${parts[place] ?? ''}`, slot] as const),
      );
    }
    draft.replace(made);
  },
});

const isoText =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?:([Zz])|([+-])(\d\d):?(\d\d))?)?$/;

function parseMoment(text: string, zone: 'written' | 'utc'): Moment | undefined {
  const found = isoText.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((digits) => Number(digits ?? 0));
  const [offsetHours, offsetMinutes] = [Number(found[9] ?? 0), Number(found[10] ?? 0)];
  const isReal =
    new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day &&
    month >= 1 &&
    month <= 12 &&
    hour < 24 &&
    minute < 60 &&
    second <= 60 &&
    offsetHours < 24 &&
    offsetMinutes < 60;
  // The calendar of `Date` reads years below 100 as those of the last century.
  if (!isReal || year < 100) return undefined;
  const written = { year, month, day, hour, minute };
  if (zone === 'written' || found[8] === undefined) return written;
  const offset = (offsetHours * 60 + offsetMinutes) * (found[8] === '-' ? -1 : 1);
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute - offset));
  return {
    year: utc.getUTCFullYear(),
    month: utc.getUTCMonth() + 1,
    day: utc.getUTCDate(),
    hour: utc.getUTCHours(),
    minute: utc.getUTCMinutes(),
  };
}

function daysOf({ year, month, day }: Moment): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** The first of January 1970 was a Thursday. */
function weekdayOf(moment: Moment): number {
  return (((daysOf(moment) + 3) % 7) + 7) % 7;
}
