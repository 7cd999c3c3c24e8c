/** Timestamps of tables, which are microseconds since the epoch, from and to what programs have. */
import { DeltaError, formatInstant, microsFromMillis, parseInstant } from '../core/index.ts'

/**
 * Microseconds since the epoch, for `timestamp` columns, from a `Date`, milliseconds since the epoch, or ISO
 * 8601 text (without a zone it is UTC). Rejects with `DELTA_SCHEMA_MISMATCH` what is no point in time.
 */
export function toMicros(time: Date | number | string): bigint {
  const ms = time instanceof Date ? time.getTime() : time
  const micros =
    typeof ms === 'string'
      ? parseInstant(ms)
      : Number.isFinite(ms)
        ? microsFromMillis(ms)
        : undefined
  if (micros !== undefined) return micros
  throw new DeltaError('DELTA_SCHEMA_MISMATCH', `${String(time)} is not a point in time`)
}

/** ISO 8601 text in UTC with all six digits of the microseconds, which a `Date` cannot hold. */
export function isoOfMicros(micros: bigint): string {
  return formatInstant(micros)
}

/** A `Date`; digits below the millisecond are cut off. */
export function dateOfMicros(micros: bigint): Date {
  return new Date(formatInstant(micros))
}
