/**
 * Names in `_delta_log` (PROTOCOL.md "File Types"). Versions have twenty digits, so byte order is
 * version order.
 */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'checkpoint'; readonly version: number }
  | {
      readonly kind: 'checkpointPart'
      readonly version: number
      readonly part: number
      readonly parts: number
    }
  | { readonly kind: 'v2Checkpoint'; readonly version: number; readonly format: 'json' | 'parquet' }
  /** `from` to `version`, both included. */
  | { readonly kind: 'compaction'; readonly from: number; readonly version: number }
  | { readonly kind: 'checksum'; readonly version: number }
  | { readonly kind: 'other' }

const COMMIT = /^(\d{20})\.json$/
const CLASSIC = /^(\d{20})\.checkpoint\.parquet$/
const PART = /^(\d{20})\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/
const UUID_NAMED = /^(\d{20})\.checkpoint\.[0-9a-fA-F-]{36}\.(json|parquet)$/
const COMPACTION = /^(\d{20})\.(\d{20})\.compacted\.json$/
const CHECKSUM = /^(\d{20})\.crc$/

/** Versions beyond what a number holds exactly are none: they could not be told apart. */
export function parseLogName(name: string): LogFile {
  const file = parseName(name)
  return file.kind === 'other' || Number.isSafeInteger(file.version) ? file : { kind: 'other' }
}

function parseName(name: string): LogFile {
  const commit = COMMIT.exec(name)
  if (commit !== null) return { kind: 'commit', version: Number(commit[1]) }
  const classic = CLASSIC.exec(name)
  if (classic !== null) return { kind: 'checkpoint', version: Number(classic[1]) }
  const part = PART.exec(name)
  if (part !== null) {
    return {
      kind: 'checkpointPart',
      version: Number(part[1]),
      part: Number(part[2]),
      parts: Number(part[3])
    }
  }
  const checksum = CHECKSUM.exec(name)
  if (checksum !== null) return { kind: 'checksum', version: Number(checksum[1]) }
  const compaction = COMPACTION.exec(name)
  if (compaction !== null) {
    return { kind: 'compaction', from: Number(compaction[1]), version: Number(compaction[2]) }
  }
  const uuid = UUID_NAMED.exec(name)
  if (uuid === null) return { kind: 'other' }
  const format = uuid[2] === 'json' ? 'json' : 'parquet'
  return { kind: 'v2Checkpoint', version: Number(uuid[1]), format }
}

export function logDirectory(table: string): string {
  return table === '' ? '_delta_log' : `${table}/_delta_log`
}

export function commitPath(table: string, version: number): string {
  return `${logDirectory(table)}/${pad(version)}.json`
}

export function checkpointPath(table: string, version: number): string {
  return `${logDirectory(table)}/${pad(version)}.checkpoint.parquet`
}

export function checkpointPartPaths(table: string, version: number, parts: number): string[] {
  const name = (part: number): string =>
    `${pad(version)}.checkpoint.${pad(part, 10)}.${pad(parts, 10)}.parquet`
  return Array.from({ length: parts }, (_, part) => `${logDirectory(table)}/${name(part + 1)}`)
}

/** Aggregated actions of the versions `from` to `to`, both included. */
export function compactionPath(table: string, from: number, to: number): string {
  return `${logDirectory(table)}/${pad(from)}.${pad(to)}.compacted.json`
}

export function checksumPath(table: string, version: number): string {
  return `${logDirectory(table)}/${pad(version)}.crc`
}

export function lastCheckpointPath(table: string): string {
  return `${logDirectory(table)}/_last_checkpoint`
}

/** A sidecar is named relative to its directory; some writers give the whole path. */
export function sidecarPath(table: string, path: string): string {
  return `${logDirectory(table)}/_sidecars/${path.slice(path.lastIndexOf('/') + 1)}`
}

function pad(number: number, digits = 20): string {
  return number.toString().padStart(digits, '0')
}
