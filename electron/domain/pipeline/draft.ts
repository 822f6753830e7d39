/**
 * What stands between the columns of a file and the inputs of a model, while it is put together: names, each for a slot that
 * will hold its values, and the work that fills the slots. Work of which nothing is used in the end is not done.
 */
import { AppError } from '#shared/errors.ts';
import type { TableColumn, WantedColumn } from '#domain/tables/index.ts';
import { convert } from './convert.ts';
import type { ColumnKind, Feature, Marks } from './feature.ts';
import { createFinder, sameUnit } from './names.ts';
import type { PipelineColumn } from './schema.ts';
import { checkDeclared, typeProblem } from './signature.ts';

/** A place for the values of one column. `column` is what the file calls the column that they come from. */
export interface Slot {
  readonly id: number;
  readonly column: string;
  /** When it will hold tensors: of this type and with these dimensions behind the rows (null where they differ by batch). */
  readonly tensor: TensorShape | undefined;
  /** False where the file lacks what it would be made of. */
  readonly isThere: boolean;
}

export interface TensorShape {
  readonly type: string;
  readonly rest: readonly (number | null)[];
}

export type NamedSlot = readonly [name: string, slot: Slot];

export interface Work {
  readonly reads: readonly Slot[];
  readonly writes: readonly Slot[];
  /** As many features as `writes` has slots. What rows hold that are bad already means nothing. */
  run(features: readonly Feature[], marks: Marks): readonly Feature[] | Promise<readonly Feature[]>;
}

/** A column of the file, with all that is wanted of it. */
export interface Source {
  readonly column: TableColumn;
  readonly slot: Slot;
  readonly facts: PipelineColumn | undefined;
  readonly needs: Set<ColumnKind>;
  /** Each use of it as a number is of a float's. */
  float: boolean;
}

export interface Draft {
  /** The names that stand now, in their order. */
  names(): readonly string[];
  /** Of these names the one that `name` means; undefined when there is none. */
  find(name: string): string | undefined;
  /** The slot behind a name as it is; undefined when the name stands for nothing. */
  slot(name: string): Slot | undefined;
  /** The slot behind a name, its values converted; an empty one, and a note, when the name stands for nothing. */
  read(name: string, as: ColumnKind, float?: boolean): Slot;
  /** Puts names and slots in the places of names, or behind all others when a name does not stand. */
  replace(by: ReadonlyMap<string, readonly NamedSlot[]>): void;
  /** Only these stay, under the new names. */
  keep(names: readonly (readonly [name: string, as: string])[]): void;
  /** New slots for `count` features that `run` makes of others. */
  add(work: {
    readonly reads: readonly Slot[];
    readonly count: number;
    readonly tensor?: TensorShape;
    readonly run: Work['run'];
  }): readonly Slot[];
  /** Notes what stands in the way of the plan. */
  note(problem: string): void;
  readonly problems: readonly string[];
  readonly missing: readonly string[];
  /** What has to be done, in order, so that these slots are filled, and the columns of the file that it takes. */
  workFor(slots: readonly Slot[]): {
    readonly work: readonly Work[];
    readonly sources: readonly Source[];
  };
}

const maxSlots = 200_000;

export function createDraft(
  columns: readonly TableColumn[],
  facts: readonly PipelineColumn[],
): Draft {
  let nextId = 0;
  let standing: readonly NamedSlot[] = [];
  const sourceById = new Map<number, Source>();
  const makerById = new Map<number, Work>();
  const converted = new Map<string, Slot>();
  const problems: string[] = [];
  const missing: string[] = [];
  const newSlot = (
    column: string,
    { tensor, isThere = true }: { tensor?: TensorShape | undefined; isThere?: boolean } = {},
  ): Slot => {
    if (nextId >= maxSlots)
      throw new AppError('limit', `The pipeline makes more than ${maxSlots} columns.`);
    return { id: nextId++, column, tensor, isThere };
  };

  const findColumn = createFinder(columns.map(({ name }) => name));
  const factsByAt = new Map<number, PipelineColumn>();
  const isTyped = columns.some(({ type }) => type !== 'text');
  for (const fact of facts) {
    const found = findColumn(fact.name);
    if (found === undefined) {
      if (fact.required === true) missing.push(fact.name);
      continue;
    }
    const column = columns[found.at];
    const problem =
      isTyped && column !== undefined && fact.type !== undefined
        ? typeProblem(column, fact.type)
        : null;
    if (problem !== null) problems.push(problem);
    factsByAt.set(found.at, fact);
    if (found.unit !== undefined && fact.unit !== undefined && !sameUnit(found.unit, fact.unit))
      problems.push(
        `The column ${fact.name} is in ${found.unit} here, and the model expects ${fact.unit}.`,
      );
  }
  standing = columns.map((column, at) => {
    const slot = newSlot(column.name);
    sourceById.set(slot.id, {
      column,
      slot,
      facts: factsByAt.get(at),
      needs: new Set(),
      float: true,
    });
    return [column.name, slot] as const;
  });
  let find = findColumn;
  const restand = (names: typeof standing): void => {
    standing = names;
    find = createFinder(standing.map(([name]) => name));
  };

  const draft: Draft = {
    names: () => standing.map(([name]) => name),
    find(name) {
      const found = find(name);
      return found === undefined ? undefined : standing[found.at]?.[0];
    },
    slot: (name) => standing[find(name)?.at ?? -1]?.[1],
    read(name, as, float = false) {
      const slot = standing[find(name)?.at ?? -1]?.[1];
      if (slot === undefined) {
        if (!missing.includes(name)) missing.push(name);
        return newSlot(name, { isThere: false });
      }
      const source = sourceById.get(slot.id);
      if (source !== undefined) {
        source.needs.add(as);
        if (!float) source.float = false;
      }
      if (!slot.isThere) return slot;
      const key = `${slot.id} ${as}`;
      const known = converted.get(key);
      if (known !== undefined) return known;
      const [made = slot] = draft.add({
        reads: [slot],
        count: 1,
        run([data], marks) {
          if (data === undefined) return [];
          const to = { marks, column: slot.column };
          const made = convert(data, as, to);
          const declared = source?.facts?.type;
          return [declared === undefined ? made : checkDeclared(made, declared, to)];
        },
      });
      converted.set(key, made);
      return made;
    },
    replace(by) {
      const made = new Set([...by.values()].flatMap((pairs) => pairs.map(([name]) => name)));
      const stood = new Set(standing.map(([name]) => name));
      restand([
        ...standing.flatMap((pair) => by.get(pair[0]) ?? (made.has(pair[0]) ? [] : [pair])),
        ...[...by].flatMap(([name, pairs]) => (stood.has(name) ? [] : pairs)),
      ]);
    },
    keep(names) {
      restand(
        names.flatMap(([name, as]) => {
          const slot = standing[find(name)?.at ?? -1]?.[1];
          if (slot !== undefined) return [[as, slot] as const];
          if (!missing.includes(name)) missing.push(name);
          return [[as, newSlot(name, { isThere: false })] as const];
        }),
      );
    },
    add({ reads, count, tensor, run }) {
      const isThere = reads.every((slot) => slot.isThere);
      const writes = Array.from({ length: count }, () =>
        newSlot(reads[0]?.column ?? '', { tensor, isThere }),
      );
      const work: Work = { reads, writes, run };
      for (const { id } of writes) makerById.set(id, work);
      return writes;
    },
    note: (problem) => void problems.push(problem),
    problems,
    missing,
    workFor(slots) {
      const work: Work[] = [];
      const sources: Source[] = [];
      const seen = new Set<Work | Source>();
      const visit = ({ id }: Slot): void => {
        const source = sourceById.get(id);
        if (source !== undefined && !seen.has(source)) {
          seen.add(source);
          sources.push(source);
        }
        const maker = makerById.get(id);
        if (maker === undefined || seen.has(maker)) return;
        seen.add(maker);
        for (const read of maker.reads) visit(read);
        work.push(maker);
      };
      for (const slot of slots) visit(slot);
      return { work, sources };
    },
  };
  return draft;
}

/** How a column is to be read that is used as all of `needs`. Text is what everything can be made of. */
export function wantedAs({ column, needs, float }: Source): WantedColumn {
  const { name } = column;
  const [only = 'text', ...others] = needs;
  if (others.length > 0) return { name, as: 'text' };
  return only === 'number' && float ? { name, as: only, float } : { name, as: only };
}
