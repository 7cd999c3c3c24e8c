/** Rows of the records table: appending, reading a bounded run, deleting a prefix. */
import type { DatabaseSync } from 'node:sqlite'
import type { Headers, LogRecord } from '../../ports/index.ts'
import { OFFSET_SPAN, offsetOf, recordId } from './schema.ts'
import type { PartitionState } from './topics.ts'

/** A record that is ready to be stored. */
export interface EncodedRecord {
  readonly partitionId: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** JSON, or null when there are none. */
  readonly headers: string | null
  readonly bytes: number
}

export interface ReadBounds {
  readonly maxRecords: number
  readonly maxBytes: number
}

export interface ReadRun {
  readonly records: LogRecord[]
  readonly bytes: number
}

export interface Records {
  /** Inside a transaction. Returns the offsets, in the order of the records. */
  append(records: readonly EncodedRecord[]): number[]
  /** Records from `offset` on; at least one if there is one. Stops when `maxBytes` is reached. */
  read(
    partitionId: number,
    place: { topic: string; partition: number },
    offset: number,
    bounds: ReadBounds
  ): ReadRun
  /** Inside a transaction: from now on the partition begins at `offset` (at most its end). */
  raiseEarliest(partitionId: number, offset: number): void
  /** Inside a transaction: removes at most `limit` rows below `earliest`; returns how many. */
  deleteBelowEarliest(partitionId: number, limit: number): number
  /** Offset after the first rows (at most `limit`) that are all older than `timestamp`. */
  expiredUntil(partitionId: number, timestamp: number, limit: number): number | undefined
}

const NO_HEADERS: Headers = Object.freeze({})

export function createRecords(
  db: DatabaseSync,
  state: (partitionId: number) => PartitionState
): Records {
  const sql = {
    insert: db.prepare(
      'INSERT INTO records (id, timestamp, key, value, headers) VALUES (?, ?, ?, ?, ?)'
    ),
    setNext: db.prepare('UPDATE partitions SET next_offset = ? WHERE id = ?'),
    select: db.prepare(
      'SELECT id, timestamp, key, value, headers FROM records WHERE id BETWEEN ? AND ? ORDER BY id'
    ),
    // SQLite knows a blob's length without reading it.
    sizes: db.prepare(
      `SELECT id, ifnull(length(key), 0) + ifnull(length(value), 0) FROM records
       WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`
    ),
    raise: db.prepare(
      'UPDATE partitions SET earliest = max(earliest, min(next_offset, ?)) WHERE id = ?'
    ),
    delete: db.prepare(
      `DELETE FROM records WHERE id IN
        (SELECT id FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)`
    ),
    timestamps: db.prepare(
      'SELECT id, timestamp FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?'
    )
  }
  // Half the time of rows as objects.
  sql.select.setReturnArrays(true)
  sql.sizes.setReturnArrays(true)

  /** The last record that the bounds let in, so that no more than these are ever in memory. */
  function measure(
    low: number,
    high: number,
    bounds: ReadBounds
  ): { last: number; bytes: number } | undefined {
    let last: number | undefined
    let bytes = 0
    const rows = sql.sizes.all(low, high, bounds.maxRecords) as unknown as [number, number][]
    for (const [id, size] of rows) {
      last = id
      bytes += size
      if (bytes >= bounds.maxBytes) break
    }
    return last === undefined ? undefined : { last, bytes }
  }

  return {
    append(records) {
      const next = new Map<number, number>()
      const offsets = records.map(record => {
        const offset = next.get(record.partitionId) ?? state(record.partitionId).next
        next.set(record.partitionId, offset + 1)
        sql.insert.run(
          recordId(record.partitionId, offset),
          record.timestamp,
          record.key,
          record.value,
          record.headers
        )
        return offset
      })
      for (const [partitionId, offset] of next) sql.setNext.run(offset, partitionId)
      return offsets
    },
    read(partitionId, place, offset, bounds) {
      const low = recordId(partitionId, offset)
      const run = measure(low, recordId(partitionId, OFFSET_SPAN), bounds)
      if (run === undefined) return { records: [], bytes: 0 }
      const rows = sql.select.all(low, run.last) as unknown as StoredRow[]
      return { records: rows.map(row => decode(row, place)), bytes: run.bytes }
    },
    raiseEarliest(partitionId, offset) {
      sql.raise.run(offset, partitionId)
    },
    deleteBelowEarliest(partitionId, limit) {
      const { earliest } = state(partitionId)
      const low = recordId(partitionId, 0)
      return Number(sql.delete.run(low, recordId(partitionId, earliest), limit).changes)
    },
    expiredUntil(partitionId, timestamp, limit) {
      const low = recordId(partitionId, state(partitionId).earliest)
      let until: number | undefined
      for (const row of sql.timestamps.iterate(low, recordId(partitionId, OFFSET_SPAN), limit)) {
        if (Number(row['timestamp']) >= timestamp) break
        until = offsetOf(Number(row['id'])) + 1
      }
      return until
    }
  }
}

/** Columns in the order of the statement. */
type StoredRow = readonly [
  id: number,
  timestamp: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: string | null
]

function decode(
  [id, timestamp, key, value, headers]: StoredRow,
  { topic, partition }: { topic: string; partition: number }
): LogRecord {
  return {
    topic,
    partition,
    offset: BigInt(offsetOf(id)),
    timestamp,
    key,
    value,
    headers: headers === null ? NO_HEADERS : (JSON.parse(headers) as Headers)
  }
}
