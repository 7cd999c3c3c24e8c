/** Names and field ids that columns have in data files (PROTOCOL.md "Column Mapping"). */
import { columnId, type DataType, type EngineColumn, physicalName } from '../../delta/index.ts'
import { identifier } from './sql.ts'

/** The column with physical names for its own and those of its fields; it is found in files as before. */
export function physicalColumn(column: EngineColumn): EngineColumn {
  return { ...column, name: column.physicalName, type: physicalType(column.type) }
}

/** Whether fields within the column have other names in data files. */
export function hasPhysicalFields({ type }: EngineColumn): boolean {
  return JSON.stringify(physicalType(type)) !== JSON.stringify(type)
}

function physicalType(type: DataType): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: physicalType(type.elementType) }
  if (type.type === 'map') {
    const { keyType, valueType } = type
    return { ...type, keyType: physicalType(keyType), valueType: physicalType(valueType) }
  }
  const fields = type.fields.map(field => {
    return { ...field, name: physicalName(field), type: physicalType(field.type) }
  })
  return { ...type, fields }
}

/** The option of COPY that gives columns and fields their ids, with a comma; empty where there are none. */
export function fieldIds(columns: readonly EngineColumn[]): string {
  const entries = columns.flatMap(column => idsOf(column.physicalName, column.fieldId, column.type))
  return entries.length === 0 ? '' : `FIELD_IDS {${entries.join(', ')}}, `
}

function idsOf(name: string, id: number | undefined, type: DataType): string[] {
  const inner = innerIds(type)
  if (inner.length === 0) return id === undefined ? [] : [`${identifier(name)}: ${id}`]
  const own = id === undefined ? [] : [`__duckdb_field_id: ${id}`]
  return [`${identifier(name)}: {${[...own, ...inner].join(', ')}}`]
}

function innerIds(type: DataType): string[] {
  if (typeof type === 'string') return []
  if (type.type === 'array') return idsOf('element', undefined, type.elementType)
  if (type.type === 'map') {
    const { keyType, valueType } = type
    return [...idsOf('key', undefined, keyType), ...idsOf('value', undefined, valueType)]
  }
  return type.fields.flatMap(field => idsOf(physicalName(field), columnId(field), field.type))
}
