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
