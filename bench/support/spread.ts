/** Median and ends of several times. */
export interface Spread {
  readonly medianMs: number
  readonly leastMs: number
  readonly mostMs: number
}

export function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b)
  return {
    medianMs: sorted[sorted.length >> 1] ?? Number.NaN,
    leastMs: sorted[0] ?? Number.NaN,
    mostMs: sorted.at(-1) ?? Number.NaN
  }
}

export function spread({ medianMs, leastMs, mostMs }: Spread): string {
  return `${medianMs.toFixed(0)} ms (${leastMs.toFixed(0)} to ${mostMs.toFixed(0)})`
}
