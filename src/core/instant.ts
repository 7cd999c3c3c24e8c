/**
 * Points in time. Tables hold microseconds since the epoch, UTC, as `bigint`; messages hold ISO 8601
 * text; the clock gives milliseconds. Accepted spellings: reference/claimx-events.md section 2.4.
 */
export type Micros = bigint

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?$/

/**
 * ISO 8601 text to microseconds. No zone means UTC; fractions beyond microseconds are cut off; a date
 * alone is its midnight in UTC. Anything else, or a day or hour that does not exist: `undefined`.
 */
export function parseInstant(text: string): Micros | undefined {
  const match = ISO.exec(text.trim())
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    match
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number
  ]
  const [y, mo, d, h, mi, s] = parts
  const ms = Date.UTC(y, mo - 1, d, h, mi, s)
  const check = new Date(ms)
  if (y < 100 || check.getUTCMonth() !== mo - 1 || check.getUTCDate() !== d) return undefined
  if (h > 23 || mi > 59 || s > 59) return undefined
  const offset = zoneMinutes(zone)
  if (offset === undefined) return undefined
  return BigInt(ms - offset * 60_000) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

/** Canonical form: UTC, six fraction digits, `Z`. Sorts as text in time order. */
export function formatInstant(micros: Micros): string {
  const ms = floorDiv(micros, 1000n)
  const rest = micros - ms * 1000n
  return `${new Date(Number(ms)).toISOString().slice(0, -1)}${rest.toString().padStart(3, '0')}Z`
}

export function microsFromMillis(ms: number): Micros {
  return BigInt(Math.trunc(ms)) * 1000n
}

export function millisFromMicros(micros: Micros): number {
  return Number(floorDiv(micros, 1000n))
}

/** UTC calendar date, `YYYY-MM-DD`. */
export function dateOf(micros: Micros): string {
  return formatInstant(micros).slice(0, 10)
}

/** ISO text of a clock reading, for messages. */
export function isoFromMillis(ms: number): string {
  return formatInstant(microsFromMillis(ms))
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  const digits = zone.slice(1).replace(':', '')
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2) || '0')
  return hours > 23 || minutes > 59 ? undefined : sign * (hours * 60 + minutes)
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b
  return a % b < 0n ? q - 1n : q
}
