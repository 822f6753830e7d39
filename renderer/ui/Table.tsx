import type { ReactNode } from 'react';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'number';
}

export interface TableRow {
  readonly key: string;
  readonly cells: readonly ReactNode[];
  readonly selected?: boolean;
  readonly onOpen?: () => void;
}

/** Columns of a file: those that hold numbers stand right-aligned, so that amounts can be compared. */
export function columnsOf(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): TableColumn[] {
  return titles.map((title, at) => {
    const cells = rows.map((row) => row[at] ?? '').filter((cell) => cell !== '');
    const holdsNumbers = cells.length > 0 && cells.every((cell) => !Number.isNaN(Number(cell)));
    return holdsNumbers ? { title, align: 'number' } : { title };
  });
}

export function Table({
  label,
  columns,
  rows,
}: {
  readonly label: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="table">
        <thead>
          <tr>
            {columns.map(({ title, align }) => (
              <th key={title} className={align} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells, selected, onOpen }) => (
            <tr
              key={key}
              aria-selected={selected}
              {...(onOpen === undefined ? {} : { 'data-link': true, onClick: onOpen })}
            >
              {cells.map((cell, at) => (
                <td key={columns[at]?.title ?? at} className={columns[at]?.align}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
