/**
 * Dates and timestamps of the years 1 to 9999, which is what every engine understands; the calendar is
 * the Gregorian one throughout, as in Parquet.
 */
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIMESTAMP =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(Z|[+-]\d{2}(?::?\d{2})?)?$/
const DAY_MICROS = 86_400_000_000n
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export const FIRST_INSTANT = -62_135_596_800_000_000n
export const LAST_INSTANT = 253_402_300_799_999_999n

/** Whether the text is a day that exists, as `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  return daysOf(text) !== undefined
}

/**
 * `2024-01-31T09:00:00.123456Z`, with `T` or a blank, up to six digits of a fraction, and `Z`, an offset
 * or nothing at the end, in microseconds since the epoch; `zoned` tells whether there was a zone.
 */
export function parseTimestamp(text: string): { micros: bigint; zoned: boolean } | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  const [, date = '', hour, minute, second, fraction = '', zone] = match
  const days = daysOf(date)
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  if (days === undefined || h > 23 || m > 59 || s > 59) return undefined
  const seconds = h * 3600 + m * 60 + s - offsetSeconds(zone)
  const micros =
    BigInt(days) * DAY_MICROS + BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return { micros, zoned: zone !== undefined }
}

export function isInstant(micros: bigint): boolean {
  return micros >= FIRST_INSTANT && micros <= LAST_INSTANT
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const digits = zone.slice(1).replace(':', '')
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2) || '0') * 60
  return zone.startsWith('-') ? -seconds : seconds
}

function daysOf(text: string): number | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const length = (MONTH_DAYS[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0)
  if (year < 1 || day < 1 || day > length) return undefined
  // `Date.UTC` takes the years below 100 for years of the 20th century.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() / 86_400_000
}
