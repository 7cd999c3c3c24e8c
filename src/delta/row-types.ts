/**
 * Types of rows that follow from the definition of a table. They exist for the compiler only: at run time
 * every row is checked against the schema of the table (rows.ts).
 */
import type { CellValue } from '../core/index.ts'
import type { ColumnSpec } from './column-spec.ts'
import type { InputRow, NestedInput } from './values/cells.ts'

/** A row of a table whose columns are not known to the compiler. */
export type StoredRow = Record<string, CellValue>

/** Cells by Delta type; types that are not here are any cell. */
export interface CellTypes {
  /** Text. */
  string: string
  /** A `number` where that is exact. */
  long: number | bigint
  /** Whole, of 32 bits. */
  integer: number
  /** Whole, of 16 bits. */
  short: number
  /** Whole, of 8 bits. */
  byte: number
  /** Of 32 bits. */
  float: number
  /** Any number. */
  double: number
  /** True or false. */
  boolean: boolean
  /** Base64. */
  binary: BinaryText
  /** Microseconds since the epoch, UTC. */
  timestamp: bigint
  /** Microseconds since the epoch of a clock without a zone. */
  timestamp_ntz: bigint
  /** `2024-01-31`. */
  date: string
}

/** Marks for the compiler of texts that stand for values of other types; they are plain texts. */
declare const kind: unique symbol
/** A decimal with all its digits. */
export type DecimalText = string & { readonly [kind]: 'decimal' }
/** Bytes in base64. */
export type BinaryText = string & { readonly [kind]: 'binary' }
/** A struct, an array or a map as JSON (README.md "Values"). */
export type NestedText = string & { readonly [kind]: 'nested' }

/** The cells of a type, without null. */
export type CellOf<T> = T extends keyof CellTypes
  ? CellTypes[T]
  : T extends `decimal(${string}`
    ? DecimalText
    : T extends object
      ? NestedText
      : NonNullable<CellValue>

/** What may be given for a cell. */
export type Given<T> = T extends DecimalText
  ? string | number | bigint
  : T extends BinaryText
    ? string | Uint8Array
    : T extends NestedText
      ? string | NestedInput
      : T

/** The type of a column, or the type and the rest of its definition. */
export type ColumnShorthand = ColumnSpec['type'] | Omit<ColumnSpec, 'name'>

/**
 * Columns in the order of the schema: a list, or an object from name to type, as in
 * `{ id: { type: 'string', nullable: false }, size: 'long' }`.
 */
export type ColumnsSpec = readonly ColumnSpec[] | Readonly<Record<string, ColumnShorthand>>

/** `T`, or null too unless the definition says that there is none. */
export type Nullable<D, T> = D extends { readonly nullable: false } ? T : T | null

/** The cells of a column, by its definition. */
export type ColumnCell<D> = D extends { readonly type: 'struct' | 'array' | 'map' }
  ? NestedText | null
  : D extends { readonly type: infer T }
    ? Nullable<D, CellOf<T>>
    : CellOf<D> | null

/** Rows as a table with these columns gives them: `RowOf<typeof columns>`. */
export type RowOf<C extends ColumnsSpec> = C extends readonly ColumnSpec[]
  ? { [D in C[number] as D['name']]: ColumnCell<D> }
  : { -readonly [N in keyof C]: ColumnCell<C[N]> }

/** A whole row on its way in: columns that may be null may also be left out. */
export type NewRow<R> = string extends keyof R
  ? InputRow
  : {
      readonly [N in keyof R as null extends R[N] ? N : never]?: Given<R[N]> | undefined
    } & { readonly [N in keyof R as null extends R[N] ? never : N]: Given<R[N]> }

/** A row of a merge: columns that are left out stay as they are stored. */
export type PartialRow<R> = string extends keyof R
  ? InputRow
  : { readonly [N in keyof R]?: Given<R[N]> | undefined }

/** Names of the columns of a row. */
export type ColumnName<R> = keyof R & string

const NESTED: readonly unknown[] = ['struct', 'array', 'map']

/** The columns as a list. */
export function columnList(columns: ColumnsSpec): readonly ColumnSpec[] {
  if (Array.isArray(columns)) return columns as readonly ColumnSpec[]
  const entries = Object.entries(columns as Readonly<Record<string, ColumnShorthand>>)
  return entries.map(([name, column]) =>
    typeof column === 'string' || NESTED.includes(column.type)
      ? { name, type: column as ColumnSpec['type'] }
      : { name, ...(column as Omit<ColumnSpec, 'name'>) }
  )
}
