/** Finds rows by a filter: only where they lie leaves DuckDB, so that millions of them cost little. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { FindRequest, PartitionsRequest } from '../../delta/index.ts'
import { parametersOf } from './parameters.ts'
import { eachRow, PositionLists } from './position-lists.ts'
import { FILE, POSITION, partitionExpression, type Relation, storedRows } from './relation.ts'
import { guarded } from './scan.ts'
import { identifier, sqlType } from './sql.ts'

export async function findRows(
  connection: DuckDBConnection,
  { files, schema, where }: FindRequest
): Promise<Uint32Array[]> {
  const names = schema.map(column => column.name)
  const relation =
    files.length === 0
      ? nowhere(schema.map(({ name, type }) => `NULL::${sqlType(type)} AS ${identifier(name)}`))
      : await storedRows(connection, files, schema, names, true)
  const { values, types } = parametersOf(relation.parameters)
  const columns = [...names.map(identifier), FILE, POSITION].join(', ')
  const sql = `SELECT ${FILE}::UINTEGER, ${POSITION}::UINTEGER FROM
    (SELECT ${columns} FROM (${relation.sql}) WHERE (${where}\n))`
  const positions = new PositionLists(files)
  await guarded('filter', async () => {
    const result = await connection.stream(sql, values, types)
    await eachRow(result, (file, position) => positions.add(file, position))
  })
  return positions.ascending()
}

export async function filterPartitions(
  connection: DuckDBConnection,
  { partitions, columns, where }: PartitionsRequest
): Promise<boolean[]> {
  const lists: Record<string, (string | null)[]> = {
    indexes: partitions.map((_, index) => String(index))
  }
  const selected = columns.map((column, index) => {
    lists[`values${index}`] = partitions.map(values => values[column.physicalName] ?? null)
    const text = `($values${index}::VARCHAR[])[i + 1]`
    return `${partitionExpression(text, column)} AS ${identifier(column.name)}`
  })
  const { values, types } = parametersOf(lists)
  const holds = partitions.map(() => false)
  await guarded('filter', async () => {
    const reader = await connection.runAndReadAll(
      `SELECT __index FROM (SELECT ${[...selected, 'i AS __index'].join(', ')}
       FROM (SELECT unnest($indexes::BIGINT[]) AS i)) WHERE (${where}\n)`,
      values,
      types
    )
    for (const index of reader.getColumns()[0] ?? []) holds[Number(index)] = true
  })
  return holds
}

function nowhere(columns: readonly string[]): Relation {
  const all = [...columns, `NULL::INTEGER AS ${FILE}`, `NULL::BIGINT AS ${POSITION}`]
  return { sql: `SELECT ${all.join(', ')} WHERE false`, parameters: {} }
}
