/** The types of Parquet as DuckDB names them: what a column holds, and the expression of SQL that brings it into JavaScript. */
import { DuckDBBlobValue, DuckDBTypeId, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import type { TableColumn } from '../table.ts';
import { dayToIso, momentToIso, timeToIso } from '../moment.ts';
import type { Value } from '../values.ts';
import { duckError, identifier, type LockedDatabase } from './database.ts';

export interface ParquetColumn {
  readonly name: string;
  readonly type: TableColumn['type'];
  readonly bits?: 32 | 64;
  /** Numbers of any width, and booleans: doubles of them can be asked for at once. */
  readonly numeric: boolean;
  /** What is selected for one value after the other. */
  readonly expression: string;
  readonly toValue: (selected: DuckDBValue) => Value;
}

/** Of the file, in its order. */
export async function columnsOf({ connection, file }: LockedDatabase): Promise<ParquetColumn[]> {
  try {
    const result = await connection.stream(`SELECT * FROM read_parquet(${file}) LIMIT 0`);
    const types = result.columnTypes();
    return result.columnNames().flatMap((name, at) => {
      const type = types[at];
      return type === undefined ? [] : [parquetColumn(name, type)];
    });
  } catch (error) {
    throw duckError(error);
  }
}

function parquetColumn(name: string, type: DuckDBType): ParquetColumn {
  const column = identifier(name);
  const plain = { name, numeric: false, expression: column, toValue: asIs };
  const asText = { ...plain, type: 'text', expression: `CAST(${column} AS VARCHAR)` } as const;
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return { ...plain, type: 'boolean', numeric: true };
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return { ...plain, type: 'integer', bits: 32, numeric: true };
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return { ...plain, type: 'integer', bits: 64, numeric: true };
    case DuckDBTypeId.FLOAT:
      return { ...plain, type: 'number', bits: 32, numeric: true };
    case DuckDBTypeId.DOUBLE:
      return { ...plain, type: 'number', bits: 64, numeric: true };
    case DuckDBTypeId.DECIMAL:
      return { ...plain, type: 'number', numeric: true, expression: `CAST(${column} AS DOUBLE)` };
    case DuckDBTypeId.DATE:
      return {
        ...plain,
        type: 'text',
        expression: `CASE WHEN isfinite(${column}) THEN ${column} - DATE '1970-01-01' END`,
        toValue: (days) => whenBigInt(days, (count) => dayToIso(Number(count))),
      };
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_TZ: {
      const instant = type.typeId === DuckDBTypeId.TIMESTAMP_TZ;
      return {
        ...plain,
        type: 'text',
        expression: `CASE WHEN isfinite(${column}) THEN epoch_us(${column}) END`,
        toValue: (micros) => whenBigInt(micros, (count) => momentToIso(count * 1000n, instant)),
      };
    }
    case DuckDBTypeId.TIMESTAMP_NS:
      return {
        ...plain,
        type: 'text',
        expression: `CASE WHEN isfinite(${column}) THEN epoch_ns(${column}) END`,
        toValue: (nanos) => whenBigInt(nanos, (count) => momentToIso(count, false)),
      };
    case DuckDBTypeId.TIME:
      return {
        ...plain,
        type: 'text',
        expression: `epoch_us(${column})`,
        toValue: (micros) => whenBigInt(micros, (count) => timeToIso(count * 1000n)),
      };
    case DuckDBTypeId.BLOB:
      return { ...plain, type: 'bytes' };
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
    case DuckDBTypeId.STRUCT:
    case DuckDBTypeId.MAP:
    case DuckDBTypeId.UNION:
    case DuckDBTypeId.VARIANT:
      return { ...asText, type: 'list' };
    default:
      return asText;
  }
}

/** As it is written into a table of text: floats in as few digits as say what they are. */
export function rawExpression({ name, numeric, expression }: ParquetColumn): string {
  return numeric ? `CAST(${identifier(name)} AS VARCHAR)` : expression;
}

function asIs(value: DuckDBValue): Value {
  if (value instanceof DuckDBBlobValue) return value.bytes;
  return typeof value === 'number' ||
    typeof value === 'bigint' ||
    typeof value === 'boolean' ||
    typeof value === 'string'
    ? value
    : null;
}

function whenBigInt(value: DuckDBValue, convert: (count: bigint) => Value): Value {
  return typeof value === 'bigint' ? convert(value) : null;
}
