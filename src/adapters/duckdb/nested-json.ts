/**
 * Nested values as JSON text that loses nothing (src/delta/README.md "Nested values"), out and in: what JSON
 * has no form for becomes text, maps become lists of their entries, since keys may be of any type.
 */
import { type DataType, decimalOf, physicalName } from '../../delta/index.ts'
import { decimalText, identifier, literal, sqlType } from './sql.ts'

const MICROSECONDS = literal('%Y-%m-%dT%H:%M:%S.%f')

/** SQL of the JSON text of a nested value. */
export function jsonText(value: string, type: DataType): string {
  return `to_json(${jsonValue(value, type, 0)})::VARCHAR`
}

/** SQL of a cell as lines of JSON hold it: nested values as their text, the others in the same forms. */
export function jsonCell(value: string, type: DataType): string {
  return typeof type === 'string' ? jsonPrimitive(value, type) : jsonText(value, type)
}

function jsonValue(value: string, type: DataType, depth: number): string {
  if (typeof type === 'string') return jsonPrimitive(value, type)
  const item = `j${depth}`
  if (type.type === 'array') {
    const element = jsonValue(item, type.elementType, depth + 1)
    return element === item ? value : `list_transform(${value}, lambda ${item}: ${element})`
  }
  if (type.type === 'map') {
    const key = jsonValue(`${item}.key`, type.keyType, depth + 1)
    const entry = jsonValue(`${item}.value`, type.valueType, depth + 1)
    return `list_transform(map_entries(${value}), lambda ${item}: struct_pack(key := ${key}, value := ${entry}))`
  }
  const parts = type.fields.map(field => {
    const inner = `struct_extract(${value}, ${literal(field.name)})`
    return `${identifier(field.name)} := ${jsonValue(inner, field.type, depth)}`
  })
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${parts.join(', ')}) END`
}

function jsonPrimitive(value: string, type: string): string {
  if (type === 'binary') return `base64(${value})`
  const decimal = decimalOf(type)
  if (decimal !== undefined) return decimalText(value, decimal)
  if (type === 'date') return `${value}::VARCHAR`
  if (type === 'timestamp_ntz') return `strftime(${value}, ${MICROSECONDS})`
  if (type === 'timestamp') {
    return `strftime(make_timestamp(epoch_us(${value})), ${MICROSECONDS}) || 'Z'`
  }
  if (type !== 'float' && type !== 'double') return value
  // JSON has no such numbers; DuckDB would write them all the same. A float is written with the digits of
  // the double that it is, so that whoever reads it as one gets the same number.
  return `CASE WHEN isnan(${value}) THEN to_json('NaN')
    WHEN isinf(${value}) THEN to_json(CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END)
    ELSE to_json(${value}::DOUBLE) END`
}

/** SQL of the value of such a text, as files hold it: fields of structs have their physical names. */
export function nestedValue(text: string, type: DataType): string {
  const structure = literal(JSON.stringify(structureOf(type)))
  // The text is parsed once, whatever the number of fields that are taken out of it.
  const parsed = `[from_json_strict(${text}, ${structure})]`
  return `list_transform(${parsed}, lambda v0: ${valueFrom('v0', type, 1)})[1]`
}

/** Types that DuckDB makes of JSON itself, in the form of its `json_structure`. */
function structureOf(type: DataType): unknown {
  if (typeof type === 'string') return PARSED.has(type) ? sqlType(type) : 'VARCHAR'
  if (type.type === 'array') return [structureOf(type.elementType)]
  if (type.type === 'map') {
    return [{ key: structureOf(type.keyType), value: structureOf(type.valueType) }]
  }
  return Object.fromEntries(type.fields.map(field => [field.name, structureOf(field.type)]))
}

const PARSED = new Set(['long', 'integer', 'short', 'byte', 'double', 'float', 'boolean', 'string'])

function valueFrom(value: string, type: DataType, depth: number): string {
  if (typeof type === 'string') {
    if (PARSED.has(type)) return value
    return type === 'binary' ? `from_base64(${value})` : `CAST(${value} AS ${sqlType(type)})`
  }
  const item = `v${depth}`
  if (type.type === 'array') {
    const element = valueFrom(item, type.elementType, depth + 1)
    return element === item ? value : `list_transform(${value}, lambda ${item}: ${element})`
  }
  if (type.type === 'map') {
    const key = valueFrom(`${item}.key`, type.keyType, depth + 1)
    const entry = valueFrom(`${item}.value`, type.valueType, depth + 1)
    return `map_from_entries(list_transform(${value}, lambda ${item}: struct_pack(key := ${key}, value := ${entry})))`
  }
  const parts = type.fields.map(field => {
    const inner = `struct_extract(${value}, ${literal(field.name)})`
    return `${identifier(physicalName(field))} := ${valueFrom(inner, field.type, depth)}`
  })
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${parts.join(', ')}) END`
}
