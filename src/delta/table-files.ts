/** Between the actions of a table and the files of the store. */
import { columnId } from './column-mapping.ts'
import type { Snapshot } from './log-state.ts'
import type { EngineColumn } from './parquet-engine.ts'
import { decodePath } from './paths.ts'
import { mappingMode } from './protocol/features.ts'
import { physicalName, type SchemaField } from './schema.ts'

/** Path in the store of a data file; one that begins with `/` is outside of the store. */
export function objectPath(table: string, file: { readonly path: string }): string {
  const path = decodePath(file.path, table)
  if (path.startsWith('/')) return path
  return table === '' ? path : `${table}/${path}`
}

/** All columns of the table, in the order of the schema. */
export function engineColumns(snapshot: Pick<Snapshot, 'metadata' | 'fields'>): EngineColumn[] {
  const partitions = new Set(snapshot.metadata.partitionColumns)
  const mode = mappingMode(snapshot.metadata)
  return snapshot.fields.map(field => ({
    name: field.name,
    physicalName: physicalName(field),
    ...(mode === 'none' ? {} : idsOf(field, mode === 'id')),
    type: field.type,
    partition: partitions.has(field.name)
  }))
}

function idsOf(field: SchemaField, byId: boolean): Pick<EngineColumn, 'fieldId' | 'foundById'> {
  const fieldId = columnId(field)
  if (fieldId === undefined) return {}
  return { fieldId, ...(byId ? { foundById: true } : {}) }
}
