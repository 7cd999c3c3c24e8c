/** Named list parameters in the form of the binding. */
import { type DuckDBType, type DuckDBValue, LIST, listValue, VARCHAR } from '@duckdb/node-api'

export function parametersOf(lists: Readonly<Record<string, readonly (string | null)[]>>): {
  values: Record<string, DuckDBValue>
  types: Record<string, DuckDBType>
} {
  const values: Record<string, DuckDBValue> = {}
  const types: Record<string, DuckDBType> = {}
  for (const [name, list] of Object.entries(lists)) {
    values[name] = listValue([...list])
    types[name] = LIST(VARCHAR)
  }
  return { values, types }
}
