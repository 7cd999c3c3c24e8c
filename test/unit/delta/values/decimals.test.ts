import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compareDecimals, decimalText } from '../../../../src/delta/values/decimals.ts'

describe('Decimals', () => {
  test('have all the digits of their column and one form', () => {
    const forms = ['1.5', '+1.50', '01.500', '15e-1', '0.15e1', 1.5]
    for (const form of forms) assert.equal(decimalText(form, 10, 3), '1.500', String(form))
    for (const zero of ['0', '-0', '-0.000', '.0', '0e9', 0, -0, 0n]) {
      assert.equal(decimalText(zero, 3, 3), '0.000', String(zero))
    }
    assert.equal(decimalText(-5n, 3, 0), '-5')
    assert.equal(decimalText('-.25', 2, 2), '-0.25')
    assert.equal(decimalText(10n ** 37n, 38, 0), `1${'0'.repeat(37)}`)
  })

  test('are refused rather than rounded', () => {
    assert.equal(decimalText('1.2345', 10, 3), undefined)
    assert.equal(decimalText('12345678.0', 10, 3), undefined)
    assert.equal(decimalText('1234567.8900', 10, 3), '1234567.890')
    for (const text of ['', '.', '-', '1,5', ' 1', '1 ', 'NaN', 'Infinity', '1e', '--1', '0x1']) {
      assert.equal(decimalText(text, 38, 3), undefined, text)
    }
  })

  test('take a number for the decimal that it was written as, if that is certain', () => {
    assert.equal(decimalText(0.1, 38, 20), '0.10000000000000000000')
    assert.equal(decimalText(1e-7, 38, 20), '0.00000010000000000000')
    assert.equal(decimalText(123456789012.345, 38, 3), '123456789012.345')
    assert.equal(decimalText(0.1 + 0.2, 38, 20), undefined)
    assert.equal(decimalText(2 ** 53, 38, 0), undefined)
    assert.equal(decimalText(Number.NaN, 38, 0), undefined)
  })

  test('compare by value', () => {
    const scaled = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })
    const textOf = (value: bigint, scale: number): string => {
      const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
      const at = digits.length - scale
      return `${value < 0n ? '-' : ''}${digits.slice(0, at)}${scale === 0 ? '' : `.${digits.slice(at)}`}`
    }
    fc.assert(
      fc.property(scaled, scaled, fc.integer({ min: 0, max: 38 }), (a, b, scale) => {
        const wanted = a < b ? -1 : Number(a > b)
        assert.equal(compareDecimals(textOf(a, scale), textOf(b, scale)), wanted)
        assert.equal(compareDecimals(textOf(a, scale), textOf(a * 10n, scale + 1)), 0)
        assert.equal(decimalText(textOf(a, scale), 38, scale), textOf(a, scale))
      })
    )
  })
})
