/**
 * JSON values as this program reads them. Integers beyond 2^53 arrive as `bigint`, so that no id is
 * ever rounded (reference/claimx-tables.md section 1.2); everything else is what `JSON.parse` gives.
 */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject
/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue
}

const MANY_DIGITS = /\d[\d.]{15,}/
const CERTAIN_DIGITS = 15
/** Digits enough for an integer that a double may not hold, where a number may stand. */
const LONG_NUMBER = /(?:^|[:,[\s])-?\d{16}/
const DIGITS = /\d{16}/

/** Parses JSON text; integers that a double cannot hold become `bigint`. Throws `SyntaxError`. */
export function parseJson(text: string): JsonValue {
  if (!hasLongNumber(text)) return JSON.parse(text) as JsonValue
  return JSON.parse(text, losslessIntegers) as JsonValue
}

/** Serialises a value; `bigint` becomes a bare JSON integer. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? rawJson(inner.toString()) : inner
    )
  }
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

/**
 * Whether a number, and not only a text, has so many digits: a reviver costs several times the parsing
 * itself, so it is called in only where it is needed.
 */
function hasLongNumber(text: string): boolean {
  if (!LONG_NUMBER.test(text)) return false
  for (let at = 0; ; ) {
    const quote = text.indexOf('"', at)
    if (DIGITS.test(text.slice(at, quote === -1 ? text.length : quote))) return true
    if (quote === -1) return false
    at = endOfString(text, quote) + 1
    if (at === 0) return false
  }
}

/** Index of the quote that ends the string which begins at `start`; -1 when it does not end. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end
  }
  return -1
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
