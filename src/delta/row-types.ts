/**
 * Types of rows that follow from the definition of a table. They exist for the compiler only: at run time
 * every row is checked against the schema of the table (rows.ts).
 */
import type { CellValue } from '../core/index.ts'
import type { ColumnSpec } from './schema.ts'

/** A row of a table whose columns are not known to the compiler. */
export type StoredRow = Record<string, CellValue>

/** Cells by Delta type; types that are not here are any cell. */
interface Cells {
  string: string
  long: number | bigint
  integer: number
  double: number
  boolean: boolean
  timestamp: bigint
  date: string
}

type CellOf<T> = T extends keyof Cells ? Cells[T] : NonNullable<CellValue>

/** The type of a column, or the type and the rest of its definition. */
export type ColumnShorthand = ColumnSpec['type'] | Omit<ColumnSpec, 'name'>

/**
 * Columns in the order of the schema: a list, or an object from name to type, as in
 * `{ id: { type: 'string', nullable: false }, size: 'long' }`.
 */
export type ColumnsSpec = readonly ColumnSpec[] | Readonly<Record<string, ColumnShorthand>>

type Nullable<D, T> = D extends { readonly nullable: false } ? T : T | null

type ColumnCell<D> = D extends { readonly type: infer T }
  ? Nullable<D, CellOf<T>>
  : CellOf<D> | null

/** Rows as a table with these columns gives them: `RowOf<typeof columns>`. */
export type RowOf<C extends ColumnsSpec> = C extends readonly ColumnSpec[]
  ? { [D in C[number] as D['name']]: ColumnCell<D> }
  : { -readonly [N in keyof C]: ColumnCell<C[N]> }

/** A whole row on its way in: columns that may be null may also be left out. */
export type NewRow<R> = {
  readonly [N in keyof R as null extends R[N] ? N : never]?: R[N] | undefined
} & { readonly [N in keyof R as null extends R[N] ? never : N]: R[N] }

/** A row of a merge: columns that are left out stay as they are stored. */
export type PartialRow<R> = { readonly [N in keyof R]?: R[N] | undefined }

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
