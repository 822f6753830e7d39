import { capital } from '../../lib/format.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Table } from '../../ui/Table.tsx';

/** What an entry says beyond who, when and what: before and after where something was changed, else name and value. */
export function Details({ details }: { readonly details: Readonly<Record<string, unknown>> }) {
  const { before, after, ...rest } = details;
  const changes = isRecord(before) && isRecord(after) ? changesOf(before, after) : [];
  const plain = Object.entries(rest);
  return (
    <>
      {changes.length === 0 ? null : (
        <Table
          label="What was changed"
          columns={[{ title: 'Changed' }, { title: 'Before' }, { title: 'After' }]}
          rows={changes.map(([name, from, to]) => ({
            key: name,
            cells: [labelOf(name), from, to],
          }))}
        />
      )}
      {plain.length === 0 ? null : (
        <Facts rows={plain.map(([name, value]) => [labelOf(name), textOf(value)] as const)} />
      )}
    </>
  );
}

function changesOf(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly (readonly [string, string, string])[] {
  return Object.keys(after)
    .map((name) => [name, textOf(before[name]), textOf(after[name])] as const)
    .filter(([, from, to]) => from !== to);
}

function labelOf(name: string): string {
  return capital(name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (isRecord(value))
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${textOf(inner)}`)
      .join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
