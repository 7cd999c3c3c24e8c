/** Order of cells of one type: what is greater in a guard, a `min` policy or the bounds of a file. */
import type { CellValue } from '../../core/index.ts'
import { type DataType, decimalOf } from '../schema.ts'
import { compareDecimals } from './decimals.ts'

/**
 * Null is smallest, NaN greatest; texts by code point, as Delta compares them. The type is needed where
 * text is not the order of the values: decimals, and binary by its bytes. Equality needs none.
 */
export function compareCells(a: CellValue, b: CellValue, type?: DataType): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  if (typeof a === 'string' && typeof b === 'string') {
    if (type === 'binary') {
      return Buffer.compare(Buffer.from(a, 'base64'), Buffer.from(b, 'base64'))
    }
    if (type !== undefined && decimalOf(type) !== undefined) return compareDecimals(a, b)
    return compareTexts(a, b)
  }
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

/** UTF-16 puts surrogates below U+E000; by code point they are above. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}
