/** Between the actions of a table and the files of the store. */
import type { AddAction } from './actions.ts'
import type { Snapshot } from './log-state.ts'
import type { EngineColumn } from './parquet-engine.ts'
import { decodePath } from './partition-values.ts'

/** Path in the store of a data file. */
export function objectPath(table: string, add: AddAction): string {
  const path = decodePath(add.path, table)
  return table === '' ? path : `${table}/${path}`
}

/** All columns of the table, in the order of the schema. */
export function engineColumns(snapshot: Snapshot): EngineColumn[] {
  const partitions = new Set(snapshot.metadata.partitionColumns)
  return snapshot.fields.map(({ name, type }) => ({ name, type, partition: partitions.has(name) }))
}
