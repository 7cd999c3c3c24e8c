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
  | { readonly kind: 'other' }

const COMMIT = /^(\d{20})\.json$/
const CLASSIC = /^(\d{20})\.checkpoint\.parquet$/
const PART = /^(\d{20})\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/
const UUID_NAMED = /^(\d{20})\.checkpoint\.[0-9a-fA-F-]{36}\.(json|parquet)$/

export function parseLogName(name: string): LogFile {
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

export function lastCheckpointPath(table: string): string {
  return `${logDirectory(table)}/_last_checkpoint`
}

/** A sidecar is named relative to its directory; some writers give the whole path. */
export function sidecarPath(table: string, path: string): string {
  return `${logDirectory(table)}/_sidecars/${path.slice(path.lastIndexOf('/') + 1)}`
}

function pad(version: number): string {
  return version.toString().padStart(20, '0')
}
