/** SQL text for Delta types, names and values. Data never becomes SQL text, only names and paths do. */
import type { DataType } from '../../delta/index.ts'

const TYPES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ntz: 'TIMESTAMP'
}

export function sqlType(type: DataType): string {
  if (typeof type === 'string') return TYPES[type] ?? type.toUpperCase()
  if (type.type === 'array') return `${sqlType(type.elementType)}[]`
  if (type.type === 'map') return `MAP(${sqlType(type.keyType)}, ${sqlType(type.valueType)})`
  const fields = type.fields.map(field => `${identifier(field.name)} ${sqlType(field.type)}`)
  return `STRUCT(${fields.join(', ')})`
}

/** SQL of the text of a decimal, with a digit before the point: DuckDB leaves it out of `decimal(3,3)`. */
export function decimalText(
  value: string,
  { precision, scale }: { precision: number; scale: number }
): string {
  const text = `${value}::VARCHAR`
  return precision === scale ? `regexp_replace(${text}, '^(-?)[.]', '\\10.')` : text
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
