/**
 * A map of which versions can be taken at the cost of what changed since the last one. Versions share a base
 * that never changes and differ in a small map laid over it; when that grows, both become a new base. So a
 * version costs about the square root of the map's size, whatever the number of versions.
 */

/** Changes that are laid over a base before both are joined: so many, or twice the root of its size. */
const FEWEST_CHANGES = 64

/** Undefined: the base's entry is deleted. */
type Changes<K, V> = Map<K, V | undefined>

export class VersionedMap<K, V extends {}> {
  #base = new Map<K, V>()
  #changes: Changes<K, V> = new Map()
  #size = 0
  /** Whether a version has the base, or the changes. */
  #baseShared = false
  #changesShared = false
  #version: ReadonlyMap<K, V> | undefined

  get size(): number {
    return this.#size
  }

  has(key: K): boolean {
    return this.#changes.has(key) ? this.#changes.get(key) !== undefined : this.#base.has(key)
  }

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key)
  }

  set(key: K, value: V): void {
    if (!this.has(key)) this.#size++
    this.#version = undefined
    if (this.#baseShared) this.#ownChanges().set(key, value)
    else this.#base.set(key, value)
  }

  delete(key: K): void {
    if (!this.has(key)) return
    this.#size--
    this.#version = undefined
    if (!this.#baseShared) this.#base.delete(key)
    else if (this.#base.has(key)) this.#ownChanges().set(key, undefined)
    else this.#ownChanges().delete(key)
  }

  /** The entries as they are now; they stay so. Keys that were set anew come last. */
  version(): ReadonlyMap<K, V> {
    if (this.#version !== undefined) return this.#version
    const most = Math.max(FEWEST_CHANGES, 2 * Math.sqrt(this.#base.size))
    if (this.#changes.size > most) {
      this.#base = new Map(entriesOf(this.#base, this.#changes))
      this.#changes = new Map()
    }
    this.#baseShared = true
    this.#changesShared = true
    this.#version = new MapVersion(this.#base, this.#changes, this.#size)
    return this.#version
  }

  #ownChanges(): Changes<K, V> {
    if (this.#changesShared) {
      this.#changes = new Map(this.#changes)
      this.#changesShared = false
    }
    return this.#changes
  }
}

class MapVersion<K, V extends {}> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>
  readonly #changes: ReadonlyMap<K, V | undefined>
  readonly size: number

  constructor(base: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V | undefined>, size: number) {
    this.#base = base
    this.#changes = changes
    this.size = size
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key)
  }

  forEach(use: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) use(value, key, this)
  }

  entries(): MapIterator<[K, V]> {
    return this.#changes.size === 0 ? this.#base.entries() : entriesOf(this.#base, this.#changes)
  }

  keys(): MapIterator<K> {
    return this.#changes.size === 0 ? this.#base.keys() : this.#keys()
  }

  values(): MapIterator<V> {
    return this.#changes.size === 0 ? this.#base.values() : this.#values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }

  *#keys(): Generator<K, undefined> {
    for (const [key] of entriesOf(this.#base, this.#changes)) yield key
  }

  *#values(): Generator<V, undefined> {
    for (const [key, value] of this.#base) if (!this.#changes.has(key)) yield value
    for (const value of this.#changes.values()) if (value !== undefined) yield value
  }
}

function* entriesOf<K, V>(
  base: ReadonlyMap<K, V>,
  changes: ReadonlyMap<K, V | undefined>
): Generator<[K, V], undefined> {
  for (const entry of base) if (!changes.has(entry[0])) yield entry
  for (const [key, value] of changes) if (value !== undefined) yield [key, value]
}
