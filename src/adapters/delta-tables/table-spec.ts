/** Table definitions of the program in the words of the Delta engine. */
import type { TableDef } from '../../core/index.ts'
import type { ColumnSpec, MergeRules, TableSpec } from '../../delta/index.ts'

export function columnsOf(table: TableDef): ColumnSpec[] {
  return table.columns.map(({ name, type, nullable, doc }) => ({
    name,
    type,
    nullable,
    comment: doc
  }))
}

export function specOf(table: TableDef): TableSpec {
  return {
    name: table.name,
    description: table.doc,
    columns: columnsOf(table),
    ...(table.partitionBy === undefined ? {} : { partitionBy: table.partitionBy })
  }
}

export function rulesOf(table: TableDef): MergeRules {
  return {
    keys: table.mergeKey,
    policies: new Map(table.columns.map(column => [column.name, column.policy])),
    ...(table.guard === undefined ? {} : { guard: table.guard }),
    ...(table.insertOnly === undefined ? {} : { insertOnly: table.insertOnly })
  }
}
