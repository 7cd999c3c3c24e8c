/** Row positions of a file as ascending `Uint32Array`s without repetition. */

/** Sorted, each once. */
export function positionsOf(values: Iterable<number>): Uint32Array {
  const sorted = Uint32Array.from(values).sort()
  let kept = 0
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[i - 1]) continue
    sorted[kept++] = sorted[i] as number
  }
  return kept === sorted.length ? sorted : sorted.slice(0, kept)
}

export function unionOf(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const union = new Uint32Array(a.length + b.length)
  let count = 0
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const left = a[i] ?? Number.POSITIVE_INFINITY
    const right = b[j] ?? Number.POSITIVE_INFINITY
    union[count++] = Math.min(left, right)
    if (left <= right) i++
    if (right <= left) j++
  }
  return count === union.length ? union : union.slice(0, count)
}

/** The positions of `a` that are not in `b`. */
export function differenceOf(a: Uint32Array, b: Uint32Array): Uint32Array {
  let j = 0
  return a.filter(position => {
    while (j < b.length && (b[j] as number) < position) j++
    return b[j] !== position
  })
}

/** How many of `positions` are below each of `wanted`, which is ascending. */
export function countsBelow(wanted: Uint32Array, positions: Uint32Array): Uint32Array {
  let j = 0
  return wanted.map(position => {
    while (j < positions.length && (positions[j] as number) < position) j++
    return j
  })
}

/** Whether a position is among those given, ascending. */
export function hasPosition(positions: Uint32Array | undefined, position: number): boolean {
  if (positions === undefined) return false
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((positions[middle] as number) < position) low = middle + 1
    else high = middle
  }
  return positions[low] === position
}

/** Whether every position of `part` is in `whole`. */
export function isWithin(part: Uint32Array | undefined, whole: Uint32Array | undefined): boolean {
  if (part === undefined || part.length === 0) return true
  if (whole === undefined || part.length > whole.length) return false
  let j = 0
  for (const position of part) {
    while (j < whole.length && (whole[j] as number) < position) j++
    if (whole[j] !== position) return false
  }
  return true
}
