/**
 * The Hilbert curve through a grid: cells that follow each other on it are neighbours, so that a piece of
 * it of any length is compact, which cannot be said of the interleaved bits of a Z-order. The index is
 * computed as by J. Skilling, Programming the Hilbert curve (2004).
 */

/** For each cell of a grid of `2 ** bits` cells a side, the first axis fastest, its place on the curve. */
export function hilbertTable(axes: number, bits: number): Uint32Array {
  const table = new Uint32Array(2 ** (axes * bits))
  const side = 2 ** bits
  const cell = new Array<number>(axes).fill(0)
  for (let index = 0; index < table.length; index++) {
    let rest = index
    for (let axis = 0; axis < axes; axis++) {
      cell[axis] = rest % side
      rest = Math.floor(rest / side)
    }
    table[index] = placeOf([...cell], bits)
  }
  return table
}

function placeOf(x: number[], bits: number): number {
  const at = (axis: number): number => x[axis] ?? 0
  for (let q = 1 << (bits - 1); q > 1; q >>= 1) {
    const low = q - 1
    for (let axis = 0; axis < x.length; axis++) {
      if ((at(axis) & q) !== 0) x[0] = at(0) ^ low
      else {
        const swapped = (at(0) ^ at(axis)) & low
        x[0] = at(0) ^ swapped
        x[axis] = at(axis) ^ swapped
      }
    }
  }
  for (let axis = 1; axis < x.length; axis++) x[axis] = at(axis) ^ at(axis - 1)
  let turned = 0
  for (let q = 1 << (bits - 1); q > 1; q >>= 1) {
    if ((at(x.length - 1) & q) !== 0) turned ^= q - 1
  }
  let place = 0
  for (let bit = bits - 1; bit >= 0; bit--) {
    for (let axis = 0; axis < x.length; axis++) {
      place = place * 2 + (((at(axis) ^ turned) >> bit) & 1)
    }
  }
  return place
}
