/**
 * Scalars as text (reference/claimx-events.md section 2.2, claimx-tables.md section 1.2). Text is made
 * well-formed Unicode, because a lone surrogate would change when it is stored as UTF-8 and so break
 * the equality of keys.
 */
import type { JsonValue } from '../../core/index.ts'

export function textOf(value: string): string {
  return value.trim().toWellFormed()
}

/** Decimal digits of an integral number, without exponent; undefined for any other number. */
export function integerText(value: number | bigint): string | undefined {
  if (typeof value === 'bigint') return value.toString()
  return Number.isInteger(value) ? BigInt(value).toString() : undefined
}

/**
 * Text of an id-like value: trimmed text or integer text, null for null and blank, undefined when the
 * value is of a wrong type. Zero is a value.
 */
export function idText(value: JsonValue | undefined): string | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return textOf(value) || null
  if (typeof value === 'number' || typeof value === 'bigint') return integerText(value)
  return undefined
}

/** Largest value of a 64-bit signed integer, which is what the tables store. */
const MAX_LONG = 2n ** 63n - 1n

/** An id for an API call: decimal digits without leading zeros; undefined when it is not numeric. */
export function numericId(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || !/^\d{1,30}$/.test(text)) return undefined
  const value = BigInt(text)
  return value <= MAX_LONG ? value.toString() : undefined
}

/** JSON text with sorted keys, so that equal content is equal text. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .sort()
      .map(key => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`)
    return `{${members.join(',')}}`
  }
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}
