/** Cheap seeded randomness: the same seed and parts give the same numbers on every machine. */

/** 32-bit hash of integers, well mixed. */
export function hash32(seed: number, ...parts: number[]): number {
  let h = mix(seed | 0)
  for (const part of parts) h = mix(h ^ (part | 0))
  return h >>> 0
}

/** 32-bit FNV-1a of a text, for keys that are not numbers. */
export function hashText(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16) ^ 0x9e3779b9, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

const hexBytes: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0')
)

/** A stream of random numbers (mulberry32) for one entity. */
export class Rng {
  #state: number

  constructor(seed: number, ...parts: number[]) {
    this.#state = hash32(seed, ...parts)
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** Integer in [0, below). */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  /** Integer in [from, to]. */
  between(from: number, to: number): number {
    return from + this.int(to - from + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.int(list.length)]
    if (item === undefined) throw new RangeError('pick from an empty list')
    return item
  }

  /** Lower-case hexadecimal digits. */
  hex(digits: number): string {
    let text = ''
    while (text.length < digits) {
      const value = Math.floor(this.next() * 65_536)
      text += `${hexBytes[value >>> 8]}${hexBytes[value & 0xff]}`
    }
    return text.length === digits ? text : text.slice(0, digits)
  }

  /** Index by weight. */
  weighted(weights: readonly number[]): number {
    let rest = this.next() * weights.reduce((sum, weight) => sum + weight, 0)
    for (let i = 0; i < weights.length; i++) {
      rest -= weights[i] ?? 0
      if (rest < 0) return i
    }
    return weights.length - 1
  }
}
