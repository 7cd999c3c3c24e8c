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
      'SELECT id, timestamp, key, value, headers FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?'
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
      const records: LogRecord[] = []
      let bytes = 0
      const rows = sql.select.iterate(
        recordId(partitionId, offset),
        recordId(partitionId, OFFSET_SPAN),
        bounds.maxRecords
      )
      for (const row of rows) {
        const record = decode(row as unknown as StoredRow, place)
        records.push(record)
        bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
        if (bytes >= bounds.maxBytes) break
      }
      return { records, bytes }
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

interface StoredRow {
  readonly id: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: string | null
}

function decode(row: StoredRow, place: { topic: string; partition: number }): LogRecord {
  return {
    topic: place.topic,
    partition: place.partition,
    offset: BigInt(offsetOf(row.id)),
    timestamp: row.timestamp,
    key: row.key,
    value: row.value,
    headers: row.headers === null ? NO_HEADERS : (JSON.parse(row.headers) as Headers)
  }
}
