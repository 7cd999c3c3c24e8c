/**
 * SQL that brings a value as a data file holds it into the type and the names of the table: nested fields
 * by their physical names in whatever order, absent ones null, narrower types widened (PROTOCOL.md
 * "Column Mapping", "Type Widening").
 */
import { DuckDBListType, DuckDBMapType, DuckDBStructType, type DuckDBType } from '@duckdb/node-api'
import { type DataType, physicalName, type StructType } from '../../delta/index.ts'
import { identifier, literal, sqlType } from './sql.ts'

/** Names that fields have in one file, by their field id; empty unless columns are mapped by id. */
export type NamesById = ReadonlyMap<number, string>

export function converted(
  value: string,
  stored: DuckDBType,
  type: DataType,
  names: NamesById,
  depth = 0
): string {
  if (typeof type === 'string') {
    const wanted = sqlType(type)
    return String(stored) === wanted ? value : `CAST(${value} AS ${wanted})`
  }
  if (type.type === 'struct' && stored instanceof DuckDBStructType) {
    return convertedStruct(value, stored, type, names, depth)
  }
  const item = `x${depth}`
  if (type.type === 'array' && stored instanceof DuckDBListType) {
    const element = converted(item, stored.valueType, type.elementType, names, depth + 1)
    return element === item ? value : `list_transform(${value}, lambda ${item}: ${element})`
  }
  if (type.type === 'map' && stored instanceof DuckDBMapType) {
    const [key, entry] = [`${item}.key`, `${item}.value`]
    const keys = converted(key, stored.keyType, type.keyType, names, depth + 1)
    const values = converted(entry, stored.valueType, type.valueType, names, depth + 1)
    if (keys === key && values === entry) return value
    return `map_from_entries(list_transform(map_entries(${value}), lambda ${item}: struct_pack(key := ${keys}, value := ${values})))`
  }
  return `CAST(${value} AS ${sqlType(type)})`
}

function convertedStruct(
  value: string,
  stored: DuckDBStructType,
  type: StructType,
  names: NamesById,
  depth: number
): string {
  const present = new Map(
    stored.entryNames.map((name, index) => [name.toLowerCase(), { name, index }])
  )
  const parts = type.fields.map(field => {
    const id = field.metadata?.['delta.columnMapping.id']
    const byId = typeof id === 'number' ? names.get(id) : undefined
    const found = present.get((byId ?? physicalName(field)).toLowerCase())
    const entry = found === undefined ? undefined : stored.entryTypes[found.index]
    const inner =
      found === undefined || entry === undefined
        ? `CAST(NULL AS ${sqlType(field.type)})`
        : converted(
            `struct_extract(${value}, ${literal(found.name)})`,
            entry,
            field.type,
            names,
            depth
          )
    return `${identifier(field.name)} := ${inner}`
  })
  const same =
    String(stored) === sqlType(type) &&
    type.fields.every((field, index) => stored.entryNames[index] === field.name)
  return same
    ? value
    : `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${parts.join(', ')}) END`
}
