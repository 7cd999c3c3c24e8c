/** Between the actions of a table and the files of the store. */
import type { Snapshot } from './log-state.ts'
import type { EngineColumn } from './parquet-engine.ts'
import { decodePath } from './paths.ts'
import { physicalName, type SchemaField } from './schema.ts'

/** Path in the store of a data file; one that begins with `/` is outside of the store. */
export function objectPath(table: string, file: { readonly path: string }): string {
  const path = decodePath(file.path, table)
  if (path.startsWith('/')) return path
  return table === '' ? path : `${table}/${path}`
}

/** All columns of the table, in the order of the schema. */
export function engineColumns(snapshot: Snapshot): EngineColumn[] {
  const partitions = new Set(snapshot.metadata.partitionColumns)
  const byId = snapshot.metadata.configuration['delta.columnMapping.mode'] === 'id'
  return snapshot.fields.map(field => ({
    name: field.name,
    physicalName: physicalName(field),
    ...(byId ? fieldId(field) : {}),
    type: field.type,
    partition: partitions.has(field.name)
  }))
}

function fieldId(field: SchemaField): { fieldId?: number } {
  const id = field.metadata?.['delta.columnMapping.id']
  return typeof id === 'number' ? { fieldId: id } : {}
}
