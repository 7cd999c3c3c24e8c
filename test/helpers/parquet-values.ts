/** The values of Parquet files in a form that compares: with another reader than the one under test. */
import { DuckDBInstance } from '@duckdb/node-api'

/** Rows as sorted JSON texts, each column under its name; instants as microseconds. */
export async function normalised(files: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const source = `read_parquet('${files}', union_by_name = true)`
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
    const columns = described
      .getRows()
      .map(([name, type]) => [String(name), String(type)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const selected = columns.map(([name, type]) => {
      const column = `"${name.replaceAll('"', '""')}"`
      if (type.startsWith('TIMESTAMP')) return `epoch_us(${column}) AS ${column}`
      return type === 'BLOB' ? `hex(${column}) AS ${column}` : column
    })
    const types = columns.map(([name, type]) => `${name} ${type.replace(' WITH TIME ZONE', '')}`)
    const reader = await connection.runAndReadAll(
      `SELECT to_json(r)::VARCHAR FROM (SELECT ${selected.join(', ')} FROM ${source}) r`
    )
    const rows = (reader.getColumns()[0] ?? []).map(String).sort()
    return rows.map(row => `${types.join(', ')}: ${row}`)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
