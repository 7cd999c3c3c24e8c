/**
 * Reading messages: bytes to a JSON object, and its fields under any of their spellings. Every failure
 * is a `MessageError` MESSAGE_INVALID that names the field, never its value.
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  MessageError,
  type Micros,
  parseInstant,
  parseJson
} from '../../core/index.ts'
import { idText, textOf } from './text.ts'

export function invalid(what: string, cause?: unknown): MessageError {
  return new MessageError('MESSAGE_INVALID', what, cause === undefined ? {} : { cause })
}

/** Strict UTF-8 JSON with an object at the root. */
export function decodeObject(value: Uint8Array | null, what: string): JsonObject {
  if (value === null || value.length === 0) throw invalid(`${what}: the record has no value`)
  const root = parseText(utf8Text(value, what), what)
  if (!isJsonObject(root)) {
    throw invalid(`${what}: the root must be a JSON object, not ${kindOf(root)}`)
  }
  return root
}

/** First of the names whose value is neither null nor blank. */
export function pick(object: JsonObject, names: readonly string[]): JsonValue {
  for (const name of names) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined
    if (value === null || value === undefined) continue
    if (typeof value === 'string' && value.trim() === '') continue
    return value
  }
  return null
}

/**
 * Longest text of a field, far beyond every id, name and link. Fields are repeated in tasks, keys and
 * dead letters; without a limit an event that was accepted could become a task that no log takes.
 */
const MAX_TEXT = 65_536

/** Fields of one message; `what` names the message in errors. */
export class FieldReader {
  readonly object: JsonObject
  readonly #what: string

  constructor(object: JsonObject, what: string) {
    this.object = object
    this.#what = what
  }

  /** Trimmed text, or integer text for a number; null when absent or blank. */
  text(...names: string[]): string | null {
    const text = idText(pick(this.object, names))
    if (text === undefined) throw this.#wrong(names, 'text or an integer')
    if (text !== null && text.length > MAX_TEXT) {
      throw this.#wrong(names, `at most ${MAX_TEXT} characters long`)
    }
    return text
  }

  required(...names: string[]): string {
    const text = this.text(...names)
    if (text === null) throw invalid(`${this.#what}: ${names[0]} is missing or blank`)
    return text
  }

  /** Integer of at least 0; 0 when absent. */
  counter(name: string): number {
    const value = pick(this.object, [name])
    if (value === null) return 0
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
      throw this.#wrong([name], 'an integer of at least 0')
    }
    return number
  }

  flag(name: string): boolean {
    const value = pick(this.object, [name])
    if (typeof value === 'string') return textOf(value).toLowerCase() === 'true'
    return value === true
  }

  instant(...names: string[]): Micros | null {
    const value = pick(this.object, names)
    if (value === null) return null
    const instant = typeof value === 'string' ? parseInstant(value) : undefined
    if (instant === undefined) throw this.#wrong(names, 'an ISO 8601 time')
    return instant
  }

  requiredInstant(...names: string[]): Micros {
    const instant = this.instant(...names)
    if (instant === null) throw invalid(`${this.#what}: ${names[0]} is missing or blank`)
    return instant
  }

  child(name: string): JsonObject | null {
    const value = pick(this.object, [name])
    if (value === null) return null
    if (!isJsonObject(value)) throw this.#wrong([name], 'an object')
    return value
  }

  requiredChild(name: string): JsonObject {
    const child = this.child(name)
    if (child === null) throw invalid(`${this.#what}: ${name} is missing`)
    return child
  }

  #wrong(names: readonly string[], expected: string): MessageError {
    return invalid(`${this.#what}: ${names[0]} is not ${expected}`)
  }
}

function utf8Text(value: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value)
  } catch (cause) {
    throw invalid(`${what}: the value is not valid UTF-8`, cause)
  }
}

/** The parser's own message quotes the payload, so it does not become part of ours. */
function parseText(text: string, what: string): JsonValue {
  try {
    return parseJson(text)
  } catch {
    throw invalid(`${what}: the value is not valid JSON`)
  }
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
