/** Hashes of merge keys, by DuckDB's own hash function: the same for rows of files and rows of a batch. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Row } from '../../core/index.ts'
import type { DataFile, EngineColumn, KeyHashes, RowHashes } from '../../delta/index.ts'
import { parametersOf } from './parameters.ts'
import { FILE, POSITION, storedRows } from './relation.ts'
import { createRowTable, ROW } from './row-table.ts'

const HALVES = '(h >> 32)::UINTEGER AS hi, (h & 4294967295)::UINTEGER AS lo'

export async function hashRows(
  connection: DuckDBConnection,
  keys: readonly EngineColumn[],
  rows: readonly Row[]
): Promise<RowHashes> {
  const table = await createRowTable(connection, 'hashed_keys', keys, rows, true)
  try {
    const hashed = `SELECT hash(${table.expressions.join(', ')}) AS h, ${ROW} FROM ${table.name}`
    const reader = await connection.runAndReadAll(`SELECT ${HALVES}, ${ROW} FROM (${hashed})`)
    const [his = [], los = [], indexes = []] = reader.getColumns()
    const hashes = { hi: new Uint32Array(rows.length), lo: new Uint32Array(rows.length) }
    indexes.forEach((index, i) => {
      hashes.hi[Number(index)] = Number(his[i])
      hashes.lo[Number(index)] = Number(los[i])
    })
    return hashes
  } finally {
    await table.drop()
  }
}

export async function* sortedKeyHashes(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  keys: readonly EngineColumn[]
): AsyncGenerator<KeyHashes> {
  const names = keys.map((_, index) => `k${index}`)
  const relation = await storedRows(connection, files, keys, names, true)
  const { values, types } = parametersOf(relation.parameters)
  const hashed = `SELECT hash(${names.join(', ')}) AS h, ${FILE} AS f, ${POSITION} AS p FROM (${relation.sql})`
  const result = await connection.stream(
    `SELECT ${HALVES}, f::UINTEGER, p::UINTEGER FROM (${hashed}) ORDER BY h`,
    values,
    types
  )
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    const columns = [0, 1, 2, 3].map(column => {
      const vector = chunk.getColumnVector(column)
      const numbers = new Uint32Array(chunk.rowCount)
      for (let i = 0; i < numbers.length; i++) numbers[i] = Number(vector.getItem(i))
      return numbers
    })
    const [hi, lo, file, row] = columns
    if (hi === undefined || lo === undefined || file === undefined || row === undefined) return
    yield { hi, lo, file, row }
  }
}
