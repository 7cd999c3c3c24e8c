/**
 * Reads the fields of an API object and remembers which ones it was asked for. What nobody asked for is
 * an addition to the API: it is reported by name and kept in the `extra` column.
 */
import { isJsonObject, type JsonObject, type JsonValue, redactUrl } from '../../../core/index.ts'
import * as rules from '../coerce.ts'
import { pick } from '../json-record.ts'
import { canonicalJson } from '../text.ts'
import { withoutQuery } from '../url-expiry.ts'

/** What the mapping of one answer noticed. Names of fields only, never values. */
export class MappingNotes {
  readonly warnings: string[] = []
  readonly unknownFields = new Set<string>()
}

export class ApiFields {
  readonly #object: JsonObject
  readonly #path: string
  readonly #notes: MappingNotes
  readonly #known = new Set<string>()
  readonly #children: [string, ApiFields[], 'object' | 'list'][] = []

  constructor(object: JsonObject, path: string, notes: MappingNotes) {
    this.#object = object
    this.#path = path
    this.#notes = notes
  }

  str = (...names: string[]) => this.#read(rules.str, names)
  idStr = (...names: string[]) => this.#read(rules.idStr, names)
  long = (...names: string[]) => this.#read(rules.long, names)
  bool = (...names: string[]) => this.#read(rules.bool, names)
  decStr = (...names: string[]) => this.#read(rules.decStr, names)
  tsStr = (...names: string[]) => this.#read(rules.tsStr, names)
  dbl = (...names: string[]) => this.#read(rules.dbl, names)

  /** Fields that are known and have no column. */
  skip(...names: string[]): void {
    for (const name of names) this.#known.add(name)
  }

  /** A nested object; undefined when it is null or missing. Its additions count as ours. */
  child(name: string): ApiFields | undefined {
    const child = this.part(name)
    if (child !== undefined) this.#children.push([name, [child], 'object'])
    return child
  }

  /** A nested object that has a row, and so an `extra`, of its own. */
  part(name: string): ApiFields | undefined {
    this.skip(name)
    const value = this.#object[name]
    if (value === null || value === undefined) return undefined
    if (!isJsonObject(value)) {
      this.#warn(name)
      return undefined
    }
    return new ApiFields(value, `${this.#path}.${name}`, this.#notes)
  }

  /** A nested list of objects; empty when it is null or missing. */
  list(name: string): readonly ApiFields[] {
    this.skip(name)
    const value = this.#object[name]
    if (value === null || value === undefined) return []
    const items = Array.isArray(value) ? value.filter(isJsonObject) : []
    if (!Array.isArray(value) || items.length < value.length) this.#warn(name)
    const children = items.map(item => new ApiFields(item, `${this.#path}.${name}[]`, this.#notes))
    this.#children.push([name, children, 'list'])
    return children
  }

  /** JSON of all fields that were never asked for, here and below; null when there are none. */
  extra(): string | null {
    const unknown = this.#unknown()
    return unknown === undefined ? null : canonicalJson(unknown)
  }

  #unknown(): JsonObject | undefined {
    // Without a prototype: a field may be called `__proto__`.
    const unknown: JsonObject = Object.create(null)
    for (const [name, value] of Object.entries(this.#object)) {
      if (this.#known.has(name) || value === null) continue
      this.#notes.unknownFields.add(`${this.#path}.${name}`)
      unknown[name] = withoutSecrets(value)
    }
    for (const [name, children, kind] of this.#children) {
      const found = children.map(child => child.#unknown() ?? {})
      if (found.every(item => Object.keys(item).length === 0)) continue
      unknown[name] = kind === 'list' ? found : (found[0] ?? {})
    }
    return Object.keys(unknown).length === 0 ? undefined : unknown
  }

  #read<T>(rule: (value: JsonValue) => T | undefined, names: readonly string[]): T | null {
    this.skip(...names)
    const value = rule(pick(this.#object, names))
    if (value !== undefined) return value
    this.#warn(names[0] ?? '')
    return null
  }

  #warn(name: string): void {
    this.#notes.warnings.push(`${this.#path}.${name} is not of the documented type; stored as null`)
  }
}

/** A signed link in a field that we do not know is a secret all the same. */
function withoutSecrets(value: JsonValue): JsonValue {
  if (typeof value === 'string') {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return value
    return redactUrl(value) === value ? value : withoutQuery(value)
  }
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, withoutSecrets(inner)])
  )
}
