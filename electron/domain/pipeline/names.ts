/** How the name of a column is found among others: as it stands, without regard to case and separators, without its unit. */

export interface FoundName {
  readonly at: number;
  /** What the header says in square brackets behind the name, as `EUR` in `income [EUR]`. */
  readonly unit: string | undefined;
  readonly exact: boolean;
}

/** A name that two columns answer to is found by neither, unless one of them has it exactly. */
export function createFinder(names: readonly string[]): (name: string) => FoundName | undefined {
  const exact = new Map(names.map((name, at) => [name, at]));
  const folded = uniquely(names.map(fold));
  const units = names.map(splitUnit);
  const bare = uniquely(units.map((split) => (split === undefined ? undefined : fold(split.name))));
  return (name) => {
    const there = exact.get(name);
    if (there !== undefined) return { at: there, unit: units[there]?.unit, exact: true };
    const at = folded.get(fold(name)) ?? bare.get(fold(name));
    return at === undefined ? undefined : { at, unit: units[at]?.unit, exact: false };
  };
}

export function fold(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_');
}

/** Units are compared without regard to case and blanks. */
export function sameUnit(a: string, b: string): boolean {
  const plain = (unit: string): string => unit.replace(/\s+/g, '').toLowerCase();
  return plain(a) === plain(b);
}

/** `income [EUR]` in its parts; undefined where no unit stands behind the name. */
export function splitUnit(
  header: string,
): { readonly name: string; readonly unit: string } | undefined {
  const open = header.lastIndexOf('[');
  const text = header.trimEnd();
  if (open < 1 || !text.endsWith(']')) return undefined;
  const unit = text.slice(open + 1, -1).trim();
  // `X[3]` is the fourth of its kind and has no unit.
  return unit === '' || /^\d+$/.test(unit)
    ? undefined
    : { name: text.slice(0, open).trimEnd(), unit };
}

function uniquely(names: readonly (string | undefined)[]): ReadonlyMap<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  for (const [at, name] of names.entries())
    if (name !== undefined) found.set(name, found.has(name) ? undefined : at);
  return found;
}

/**
 * `X[0]`, `x_1`, `X 2`, … in the order of their numbers, wherever they stand; counting may begin at 1. Empty when one is missing
 * or there twice, because their places in the file say nothing then. Undefined when no column is called like that.
 */
export function indexedColumns(input: string, names: readonly string[]): string[] | undefined {
  const numbered = names.flatMap((name) => {
    const [, stem = '', digits] = /^(.*?)\s*[[_. (]\s*(\d{1,6})\s*[\])]?$/.exec(name.trim()) ?? [];
    return digits !== undefined && fold(stem) === fold(input) ? [{ name, at: Number(digits) }] : [];
  });
  if (numbered.length === 0) return undefined;
  const ordered = numbered.toSorted((a, b) => a.at - b.at);
  const first = ordered[0]?.at ?? 0;
  const complete = first <= 1 && ordered.every(({ at }, place) => at === first + place);
  return complete ? ordered.map(({ name }) => name) : [];
}
