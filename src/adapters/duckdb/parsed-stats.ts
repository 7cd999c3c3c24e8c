/** `stats_parsed` and `partitionValues_parsed` of a checkpoint in the spellings that the log has for them. */
import { DuckDBStructType, type DuckDBType } from '@duckdb/node-api'
import { identifier, literal } from './sql.ts'

/** A struct to be turned into JSON, in the spelling of PROTOCOL.md "Per-file Statistics". */
export function statsText(value: string, type: DuckDBType): string {
  return renamed(value, type, statistic)
}

/** A struct of texts, in the spelling of PROTOCOL.md "Partition Value Serialization". */
export function partitionText(value: string, type: DuckDBType): string {
  return renamed(value, type, partitionValue)
}

function renamed(
  value: string,
  type: DuckDBType,
  leaf: (value: string, type: string) => string | undefined
): string {
  if (!(type instanceof DuckDBStructType)) return leaf(value, String(type)) ?? 'NULL'
  const parts = type.entryNames.flatMap((name, index) => {
    const inner = type.entryTypes[index]
    if (inner === undefined) return []
    const field = `struct_extract(${value}, ${literal(name)})`
    return [`${identifier(name)} := ${renamed(field, inner, leaf)}`]
  })
  return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${parts.join(', ')}) END`
}

/** Undefined for types without bounds. */
function statistic(value: string, type: string): string | undefined {
  if (type === 'TIMESTAMP WITH TIME ZONE' || type === 'TIMESTAMP') {
    return `strftime(${value}, '%Y-%m-%dT%H:%M:%S.%f${type === 'TIMESTAMP' ? '' : 'Z'}')`
  }
  if (type === 'FLOAT' || type === 'DOUBLE') return `CASE WHEN isfinite(${value}) THEN ${value} END`
  if (type === 'DATE') return `strftime(${value}, '%Y-%m-%d')`
  if (/^(VARCHAR|BOOLEAN|DECIMAL.*|TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(type)) return value
  return undefined
}

function partitionValue(value: string, type: string): string | undefined {
  if (type === 'TIMESTAMP WITH TIME ZONE' || type === 'TIMESTAMP') {
    return `strftime(${value}, '%Y-%m-%d %H:%M:%S.%f')`
  }
  return type === 'BLOB' ? `decode(${value})` : `CAST(${value} AS VARCHAR)`
}
