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
    // A changed row is marked as deleted in its file, which is then not copied. Every reader of the
    // platform knows these vectors; tables whose rows never change need none (docs/delta-protocol.md).
    ...(table.insertOnly === true ? {} : { properties: { 'delta.enableDeletionVectors': 'true' } }),
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
