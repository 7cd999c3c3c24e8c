import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hilbertTable } from '../../../../src/adapters/duckdb/hilbert.ts'

for (const [axes, bits] of [
  [2, 8],
  [3, 5],
  [4, 4],
  [5, 3],
  [8, 2]
] as const) {
  test(`the curve through ${axes} axes of ${2 ** bits} goes through each cell, from neighbour to neighbour`, () => {
    const side = 2 ** bits
    const cells = new Int32Array(side ** axes).fill(-1)
    hilbertTable(axes, bits).forEach((place, cell) => {
      cells[place] = cell
    })
    for (const [place, cell] of cells.entries()) {
      assert.notEqual(cell, -1)
      if (place === 0) continue
      let [a, b] = [cell, cells[place - 1] ?? 0]
      let steps = 0
      for (let axis = 0; axis < axes; axis++) {
        steps += Math.abs((a % side) - (b % side))
        a = Math.floor(a / side)
        b = Math.floor(b / side)
      }
      assert.equal(steps, 1)
    }
  })
}
