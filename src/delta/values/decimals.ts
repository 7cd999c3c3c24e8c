/** Decimals as text with all their digits: `-12.500` for `decimal(10,3)`. Nothing is ever rounded. */

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/
/** So many digits of a number are those that were written; further ones may be an artefact of binary. */
const CERTAIN_DIGITS = 15

/** A decimal taken apart: no leading zeros in `whole`, no trailing ones in `fraction`. */
interface Parts {
  readonly negative: boolean
  readonly whole: string
  readonly fraction: string
}

/**
 * The text of a value of `decimal(precision,scale)`, with exactly `scale` digits after the point; zero has
 * no sign. Undefined when the value has too many digits on either side, or is no decimal.
 */
export function decimalText(
  value: string | number | bigint,
  precision: number,
  scale: number
): string | undefined {
  const text = typeof value === 'number' ? numberText(value) : String(value)
  const parts = text === undefined ? undefined : partsOf(text)
  if (parts === undefined) return undefined
  const { negative, whole, fraction } = parts
  if (fraction.length > scale || whole.length > precision - scale) return undefined
  const digits = scale === 0 ? '' : `.${fraction.padEnd(scale, '0')}`
  const sign = negative && (whole !== '' || fraction !== '') ? '-' : ''
  return `${sign}${whole === '' ? '0' : whole}${digits}`
}

/** Order by value, whatever the number of digits. Both must be decimals. */
export function compareDecimals(a: string, b: string): number {
  const x = partsOf(a)
  const y = partsOf(b)
  if (x === undefined || y === undefined) return a < b ? -1 : Number(a > b)
  const scale = Math.max(x.fraction.length, y.fraction.length)
  const left = unscaled(x, scale)
  const right = unscaled(y, scale)
  return left < right ? -1 : Number(left > right)
}

function unscaled({ negative, whole, fraction }: Parts, scale: number): bigint {
  const digits = BigInt(`0${whole}${fraction.padEnd(scale, '0')}`)
  return negative ? -digits : digits
}

/** The shortest text of a number, if it says for sure what was meant. */
function numberText(value: number): string | undefined {
  if (Number.isSafeInteger(value)) return String(value)
  if (!Number.isFinite(value) || Number.isInteger(value)) return undefined
  const text = String(value)
  const digits = text.replace(/[eE].*$/, '').replace(/^-?0?\.?0*|[.]/g, '')
  return digits.length > CERTAIN_DIGITS ? undefined : text
}

function partsOf(text: string): Parts | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, sign, before = '', after = '', exponent = '0'] = match
  if (before === '' && after === '') return undefined
  let digits = before + after
  let point = before.length + Number(exponent)
  if (point < 0) {
    digits = '0'.repeat(-point) + digits
    point = 0
  }
  const padded = digits.padEnd(point, '0')
  return {
    negative: sign === '-',
    whole: padded.slice(0, point).replace(/^0+/, ''),
    fraction: padded.slice(point).replace(/0+$/, '')
  }
}
