/** Collects differences and writes the line that a person reads: at most ten, and how many more. */
import type { Check } from './types.ts'

const SHOWN = 10

export class Differences {
  readonly #shown: string[] = []
  #count = 0

  add(text: string): void {
    this.#count++
    if (this.#shown.length < SHOWN) this.#shown.push(text)
  }

  get count(): number {
    return this.#count
  }

  /** OK with `summary`, or the differences. */
  check(name: string, summary: string): Check {
    if (this.#count === 0) return { name, ok: true, detail: summary }
    const rest = this.#count - this.#shown.length
    const more = rest > 0 ? `; and ${rest} more` : ''
    const plural = this.#count === 1 ? 'difference' : 'differences'
    return { name, ok: false, detail: `${this.#count} ${plural}: ${this.#shown.join('; ')}${more}` }
  }
}

export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return value.toString()
  return JSON.stringify(value) ?? String(value)
}
