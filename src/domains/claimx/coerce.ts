/**
 * Coercion of API values to column values (reference/claimx-tables.md section 1.2). Each rule gives
 * null for null and blank, and `undefined` for what it cannot express: the caller stores null and
 * reports it. The rule `ts` is `parseInstant` of core.
 */
import type { JsonValue } from '../../core/index.ts'
import { canonicalJson, idText, textOf } from './text.ts'

export type Input = JsonValue | undefined

export function str(value: Input): string | null {
  if (value === null || value === undefined) return null
  return textOf(typeof value === 'string' ? value : canonicalJson(value)) || null
}

/** Integral numbers become integer text; other numbers cannot be ids. */
export function idStr(value: Input): string | null | undefined {
  return idText(value)
}

/** 64-bit integer: `number` while safe, else `bigint`. */
export function long(value: Input): number | bigint | null | undefined {
  const text = idText(value)
  if (text === null || text === undefined) return text
  if (!/^[+-]?\d{1,30}$/.test(text)) return undefined
  const exact = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, exact) !== exact) return undefined
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}

export function int32(value: Input): number | null | undefined {
  const exact = long(value)
  if (exact === null || exact === undefined) return exact
  return typeof exact === 'number' && (exact | 0) === exact ? exact : undefined
}

export function bool(value: Input): boolean | null | undefined {
  if (value === null || value === undefined || typeof value === 'boolean') return value ?? null
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) !== 0
  if (typeof value !== 'string') return undefined
  const text = value.trim().toLowerCase()
  return text === '' ? null : text === 'true' || text === '1' || text === 'yes'
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i

/** Exact decimal text without exponent. */
export function decStr(value: Input): string | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const text = String(value).trim()
  if (text === '') return null
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const moved = moveDecimalPoint(whole, fraction, Number(exponent))
  return `${sign === '-' ? '-' : ''}${moved}`
}

/** Text as given, `Z` written as an offset; not checked. Only text can be a time here. */
export function tsStr(value: Input): string | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value !== 'string') return undefined
  return textOf(value).replace(/Z$/, '+00:00') || null
}

export function dbl(value: Input): number | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' && value.trim() === '') return null
  if (typeof value === 'boolean' || typeof value === 'object') return undefined
  if (typeof value === 'string' && !DECIMAL.test(value.trim())) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

function moveDecimalPoint(whole: string, fraction: string, places: number): string {
  const digits = `${whole}${fraction}`
  const point = whole.length + places
  const before = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0')
  const after = point <= 0 ? `${'0'.repeat(-point)}${digits}` : digits.slice(point)
  const integer = before.replace(/^0+(?=\d)/, '')
  return after === '' ? integer : `${integer}.${after}`
}
