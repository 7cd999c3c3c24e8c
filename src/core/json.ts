/**
 * JSON values as this program reads them. Integers beyond 2^53 arrive as `bigint`, so that no id is
 * ever rounded (reference/claimx-tables.md section 1.2); everything else is what `JSON.parse` gives.
 */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject
/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue
}

const UNSAFE_INTEGER = /\d{16,}/
const MANY_DIGITS = /\d[\d.]{15,}/
const CERTAIN_DIGITS = 15

/** Parses JSON text; integers that a double cannot hold become `bigint`. Throws `SyntaxError`. */
export function parseJson(text: string): JsonValue {
  if (!UNSAFE_INTEGER.test(text)) return JSON.parse(text) as JsonValue
  return JSON.parse(text, losslessIntegers) as JsonValue
}

/** Serialises a value; `bigint` becomes a bare JSON integer. */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? rawJson(inner.toString()) : inner
  )
}

/** A number by its text, which is written as it is: digits that a double cannot hold stay. */
export function exactNumber(text: string): unknown {
  return rawJson(text)
}

/**
 * Like `parseJson`, and other numbers than integers that have more digits than a double keeps for sure
 * become values that only `exactText` and `stringifyJson` understand. Throws `SyntaxError`.
 */
export function parseExactJson(text: string): unknown {
  return MANY_DIGITS.test(text) ? JSON.parse(text, exactNumbers) : JSON.parse(text)
}

/** The text of a number, a `bigint` or a number of `parseExactJson`; undefined for anything else. */
export function exactText(value: unknown): string | undefined {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'bigint') return value.toString()
  const raw = (value as { rawJSON?: unknown } | null)?.rawJSON
  return typeof raw === 'string' ? raw : undefined
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function losslessIntegers(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { source?: string }
): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
}

function exactNumbers(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { source?: string }
): unknown {
  if (typeof value !== 'number') return value
  const source = context?.source ?? String(value)
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source)
  return source.replace(/[eE].*$/, '').replace(/\D/g, '').length > CERTAIN_DIGITS
    ? rawJson(source)
    : value
}

/** `JSON.rawJSON` (ES2026) is in Node 24 but not yet in TypeScript's library. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}
