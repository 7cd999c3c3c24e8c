/** Hashes of the merge keys of stored rows (src/delta/key-index/key-hash.ts), computed and sorted by DuckDB. */
import {
  type DuckDBConnection,
  DuckDBUBigIntVector,
  DuckDBUHugeIntVector,
  VARCHAR
} from '@duckdb/node-api'
import type { DataFile, EngineColumn, KeyHashes } from '../../delta/index.ts'
import { parametersOf } from './parameters.ts'
import { FILE, POSITION, storedRows } from './relation.ts'

export async function* sortedKeyHashes(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  keys: readonly EngineColumn[],
  salt: string
): AsyncGenerator<KeyHashes> {
  if (files.length === 0) return
  const names = keys.map((_, index) => `k${index}`)
  const relation = await storedRows(connection, files, keys, names, true)
  const { values, types } = parametersOf(relation.parameters)
  // A null anywhere in the text makes all of it null.
  const text = keys.map((key, index) => keyText(names[index] ?? '', key, index === keys.length - 1))
  const hashed = `SELECT md5_number(${['$salt', ...text].join(' || ')}) AS h,
    (${FILE}::UBIGINT << 32) | ${POSITION}::UBIGINT AS p FROM (${relation.sql})`
  const result = await connection.stream(
    `SELECT h, p FROM (${hashed}) WHERE h IS NOT NULL ORDER BY h`,
    { ...values, salt },
    { ...types, salt: VARCHAR }
  )
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    const [hashes, places] = [chunk.getColumnVector(0), chunk.getColumnVector(1)]
    yield { hashes: wordsOf(hashes), places: wordsOf(places) }
  }
}

function keyText(column: string, { type }: EngineColumn, last: boolean): string {
  if (type === 'string') return last ? column : `strlen(${column}) || ':' || ${column}`
  const text = type === 'timestamp' ? `epoch_us(${column})::VARCHAR` : `${column}::VARCHAR`
  return last ? text : `${text} || ','`
}

/** The numbers of a vector as DuckDB holds them, which is little endian on every machine it runs on. */
function wordsOf(vector: unknown): Uint32Array {
  if (vector instanceof DuckDBUHugeIntVector) return wordsAt(vector['dataView'])
  if (vector instanceof DuckDBUBigIntVector) return wordsAt(vector['items'])
  throw new Error('DuckDB gave another type than it was asked for')
}

/** A copy: the memory of a chunk is not ours for long. */
function wordsAt({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint32Array {
  return new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength))
}
