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
const MONTH_MS = 30 * 86_400_000

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

/** How long versions can be read for at least, in milliseconds; for ever when it is not understood. */
export function logRetentionMs(metadata: MetadataAction): number {
  const text = metadata.configuration['delta.logRetentionDuration']
  return text === undefined ? MONTH_MS : (intervalMs(text) ?? Number.MAX_SAFE_INTEGER)
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

/** Compression of data files. */
export type Compression = 'snappy' | 'zstd' | 'gzip' | 'lz4_raw' | 'uncompressed'

const CODECS: readonly Compression[] = ['snappy', 'zstd', 'gzip', 'lz4_raw', 'uncompressed']

/** Codec of new data files; snappy is what every reader of the platform has. */
export function compressionOf(metadata: MetadataAction): Compression {
  const codec = metadata.configuration['delta.parquet.compression.codec']?.toLowerCase()
  if (codec === 'none') return 'uncompressed'
  return CODECS.find(known => known === codec) ?? 'snappy'
}

/** Which columns get statistics: those named, by their paths in lower case, or else so many of the first. */
export interface StatisticsColumns {
  readonly named?: readonly (readonly string[])[]
  readonly first: number
  /** Those that get them in any case, by their paths in lower case. */
  readonly always?: readonly (readonly string[])[]
}

export function statisticsColumns(metadata: MetadataAction): StatisticsColumns {
  const text = metadata.configuration['delta.dataSkippingStatsColumns']
  const named = text === undefined ? undefined : columnPaths(text)
  if (named !== undefined) {
    return { named: named.map(path => path.map(name => name.toLowerCase())), first: 0 }
  }
  const count = integerProperty(metadata, 'delta.dataSkippingNumIndexedCols', 32)
  return { first: count < 0 ? Number.MAX_SAFE_INTEGER : count }
}

const PATH_PART = /\s*(?:`((?:[^`]|``)*)`|([^`.,\s]+))\s*([.,]|$)/y

/** Columns as in `a, b.c, `d.e``: the parts of each one's path. Undefined when the text is none such. */
export function columnPaths(text: string): string[][] | undefined {
  const paths: string[][] = [[]]
  PATH_PART.lastIndex = 0
  while (PATH_PART.lastIndex < text.length || paths.at(-1)?.length === 0) {
    const match = PATH_PART.exec(text)
    if (match === null) return undefined
    const [, quoted, plain, end] = match
    paths.at(-1)?.push(quoted?.replaceAll('``', '`') ?? plain ?? '')
    if (end === '') return paths
    if (end === ',') paths.push([])
  }
  return undefined
}

/** The text of such paths. */
export function columnPathsText(paths: readonly (readonly string[])[]): string {
  const quoted = (name: string): string =>
    /^\w+$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``
  return paths.map(path => path.map(quoted).join('.')).join(',')
}
