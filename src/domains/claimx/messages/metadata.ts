/** Task metadata on the wire (reference/claimx-events.md sections 4.1, 4.2, 4.8). */
import { formatInstant, type JsonObject } from '../../../core/index.ts'
import { FieldReader } from '../json-record.ts'
import type { TaskMetadata } from './types.ts'

export function encodeMetadata(metadata: TaskMetadata | null): JsonObject | null {
  if (metadata === null) return null
  const wire: JsonObject = {}
  if (metadata.lastError !== undefined) wire['last_error'] = metadata.lastError
  if (metadata.errorCategory !== undefined) wire['error_category'] = metadata.errorCategory
  if (metadata.retryAt !== undefined) wire['retry_at'] = formatInstant(metadata.retryAt)
  if (metadata.urlRefreshedAt !== undefined) {
    wire['url_refreshed_at'] = formatInstant(metadata.urlRefreshedAt)
  }
  if (metadata.originalUrl !== undefined) wire['original_url'] = metadata.originalUrl
  if (metadata.replayedFromDlq !== undefined) wire['replayed_from_dlq'] = metadata.replayedFromDlq
  if (metadata.dlqPartition !== undefined) wire['dlq_partition'] = metadata.dlqPartition
  if (metadata.dlqOffset !== undefined) wire['dlq_offset'] = metadata.dlqOffset
  return wire
}

export function decodeMetadata(wire: JsonObject | null, what: string): TaskMetadata | null {
  if (wire === null) return null
  const reader = new FieldReader(wire, `${what}: metadata`)
  const dlqPartition = reader.text('dlq_partition')
  const metadata: { -readonly [K in keyof TaskMetadata]: TaskMetadata[K] | null | undefined } = {
    lastError: reader.text('last_error'),
    errorCategory: reader.text('error_category'),
    retryAt: reader.instant('retry_at'),
    urlRefreshedAt: reader.instant('url_refreshed_at'),
    originalUrl: reader.text('original_url'),
    replayedFromDlq: reader.flag('replayed_from_dlq') || null,
    dlqPartition: dlqPartition === null ? null : Number(dlqPartition),
    dlqOffset: reader.text('dlq_offset')
  }
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => value !== null)
  ) as TaskMetadata
}
