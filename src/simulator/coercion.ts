/** The coercion rules of claimx-tables.md section 1.2, written for the check alone. */
import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts'

type Maybe = JsonValue | undefined

export function str(value: Maybe): string | null {
  if (value === null || value === undefined) return null
  const text = (typeof value === 'string' ? value : String(value)).trim()
  return text === '' ? null : text
}

export function long(value: Maybe): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null
}

export function bool(value: Maybe): boolean | null {
  if (typeof value === 'string') return ['true', '1', 'yes'].includes(value.trim().toLowerCase())
  if (typeof value === 'number') return value !== 0
  return typeof value === 'boolean' ? value : null
}

export function dbl(value: Maybe): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

export function decStr(value: Maybe): string | null {
  const text = typeof value === 'number' ? String(value) : str(value)
  return text !== null && /^-?\d+(\.\d+)?$/.test(text) ? text : null
}

export function tsStr(value: Maybe): string | null {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? null : text.replace(/Z$/, '+00:00')
}

export function object(value: Maybe): JsonObject {
  return isJsonObject(value) ? value : {}
}

export function list(value: Maybe): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
