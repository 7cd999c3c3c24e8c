/** Typed access to `metaData.configuration` (PROTOCOL.md "Table Properties"). */
import type { MetadataAction } from './actions.ts'

const INTERVAL = /^\s*(?:interval\s+)?((?:\d+\s+[a-z]+\s*)+)$/i
const INTERVAL_PART = /(\d+)\s+([a-z]+?)s?(?=\s|$)/gi
const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000
}
const WEEK_MS = 604_800_000

export function booleanProperty(metadata: MetadataAction, key: string, fallback: boolean): boolean {
  const value = metadata.configuration[key]?.toLowerCase()
  return value === undefined ? fallback : value === 'true'
}

export function integerProperty(metadata: MetadataAction, key: string, fallback: number): number {
  const value = Number(metadata.configuration[key] ?? Number.NaN)
  return Number.isSafeInteger(value) ? value : fallback
}

/**
 * How long removed files stay listed in checkpoints and safe from a vacuum, in milliseconds. An interval
 * that is not understood counts as for ever: nothing is deleted by a guess.
 */
export function deletedFileRetentionMs(metadata: MetadataAction): number {
  const text = metadata.configuration['delta.deletedFileRetentionDuration']
  return text === undefined ? WEEK_MS : (intervalMs(text) ?? Number.MAX_SAFE_INTEGER)
}

/** Such as `interval 1 week 3 days`; undefined for anything else. */
function intervalMs(text: string): number | undefined {
  const parts = INTERVAL.exec(text)?.[1]
  if (parts === undefined) return undefined
  let sum = 0
  for (const [, count, unit] of parts.matchAll(INTERVAL_PART)) {
    const ms = UNIT_MS[unit?.toLowerCase() ?? '']
    if (ms === undefined) return undefined
    sum += Number(count) * ms
  }
  return sum
}

export type Compression = 'snappy' | 'zstd'

/** Codec of new data files; snappy is what every reader of the platform has. */
export function compressionOf(metadata: MetadataAction): Compression {
  const codec = metadata.configuration['delta.parquet.compression.codec']?.toLowerCase()
  return codec === 'zstd' ? 'zstd' : 'snappy'
}

/** Leaf columns that get statistics; -1 means all. */
export function indexedColumns(metadata: MetadataAction): number {
  const count = integerProperty(metadata, 'delta.dataSkippingNumIndexedCols', 32)
  return count < 0 ? Number.MAX_SAFE_INTEGER : count
}
