/**
 * Hashes of merge keys: MD5 of a salt and the key's text, 128 bits, taken for the key itself. The text of
 * a key is that of its columns one after the other, each but the last so marked that no two keys have
 * the same text:
 *
 * - string: its UTF-8, a lone surrogate as U+FFFD; but in the last column after its length in bytes and `:`
 * - long, integer, timestamp (microseconds): decimal digits with a `-` before negative ones; then `,`
 * - date: `2024-01-31`, the year 0000 as `0001-01-31 (BC)`; then `,`
 *
 * Parquet engines compute the same of stored rows (`ParquetEngine.sortedKeyHashes`).
 */
import { hash } from 'node:crypto'
import type { CellValue, Row } from '../../core/index.ts'
import type { EngineColumn } from '../parquet-engine.ts'
import type { DataType } from '../schema.ts'

/** Words of a hash: 32 bits each, the last one the most significant. */
export const HASH_WORDS = 4

const HASHED_TYPES: ReadonlySet<DataType> = new Set([
  'string',
  'long',
  'integer',
  'date',
  'timestamp'
])

/** Where the machine allows approved functions only (FIPS), there is no MD5. */
const available = ((): boolean => {
  try {
    return hash('md5', '') !== ''
  } catch {
    return false
  }
})()

/** Whether keys of the type can be hashed: equal values have one text. */
export function isHashed(type: DataType): boolean {
  return available && HASHED_TYPES.has(type)
}

/** Hashes of the keys of rows, four words a row. No key column may be null. */
export function hashKeys(
  keys: readonly EngineColumn[],
  salt: string,
  rows: readonly Row[]
): Uint32Array {
  const hashes = new Uint32Array(rows.length * HASH_WORDS)
  rows.forEach((row, index) => {
    hashKey(keys, salt, row, hashes, index * HASH_WORDS)
  })
  return hashes
}

function hashKey(
  keys: readonly EngineColumn[],
  salt: string,
  row: Row,
  hashes: Uint32Array,
  at: number
): void {
  let text = salt
  const last = keys.length - 1
  for (let i = 0; i < last; i++) text += markedText(row[keys[i]?.name ?? ''] ?? null, keys[i]?.type)
  text += valueText(row[keys[last]?.name ?? ''] ?? null, keys[last]?.type)
  // One character a byte: the cheapest form in which a digest leaves the library.
  const digest = hash('md5', text, 'binary')
  for (let word = 0; word < HASH_WORDS; word++) {
    const byte = word * 4
    hashes[at + word] =
      digest.charCodeAt(byte) |
      (digest.charCodeAt(byte + 1) << 8) |
      (digest.charCodeAt(byte + 2) << 16) |
      (digest.charCodeAt(byte + 3) << 24)
  }
}

function markedText(value: CellValue, type: DataType | undefined): string {
  const text = valueText(value, type)
  return type === 'string' ? `${Buffer.byteLength(text)}:${text}` : `${text},`
}

function valueText(value: CellValue, type: DataType | undefined): string {
  if (typeof value !== 'string') return String(value)
  if (type === 'date') return value.startsWith('0000-') ? `0001${value.slice(4)} (BC)` : value
  // Here and not when the whole is encoded: two halves of a pair may meet where columns do.
  return value.toWellFormed()
}
