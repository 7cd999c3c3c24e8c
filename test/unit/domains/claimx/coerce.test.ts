import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import * as rules from '../../../../src/domains/claimx/coerce.ts'

type Rule = (value: unknown) => unknown
type Case = [unknown, unknown]
const table: Record<keyof typeof rules, Case[]> = {
  str: [
    [null, null],
    [undefined, null],
    ['  a ', 'a'],
    ['  ', null],
    [5, '5'],
    [true, 'true']
  ],
  idStr: [
    [12, '12'],
    [12.0, '12'],
    [1.5, undefined],
    [' 7 ', '7'],
    ['', null],
    [0, '0'],
    [{}, undefined]
  ],
  long: [
    [5, 5],
    ['42', 42],
    [' ', null],
    ['4.5', undefined],
    ['x', undefined],
    [9007199254740993n, 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['9223372036854775808', undefined],
    [true, undefined],
    [-3, -3]
  ],
  int32: [
    [5, 5],
    [2147483647, 2147483647],
    [2147483648, undefined],
    ['-2147483648', -2147483648],
    [null, null]
  ],
  bool: [
    [true, true],
    ['TRUE', true],
    ['1', true],
    ['Yes', true],
    ['no', false],
    ['', null],
    [0, false],
    [2, true],
    [null, null],
    [[], undefined]
  ],
  decStr: [
    [61.5, '61.5'],
    ['61.50', '61.50'],
    ['1e3', '1000'],
    [1e-7, '0.0000001'],
    ['-1.25e1', '-12.5'],
    ['+7', '7'],
    ['007', '7'],
    [12345678901234567890n, '12345678901234567890'],
    ['abc', undefined],
    ['', null],
    [true, undefined]
  ],
  tsStr: [
    ['2026-01-10T22:15:51Z', '2026-01-10T22:15:51+00:00'],
    [' 2026-01-10 ', '2026-01-10'],
    ['', null],
    [5, undefined],
    ['not a time', 'not a time']
  ],
  dbl: [
    ['44.05', 44.05],
    [-1, -1],
    ['', null],
    ['0x10', undefined],
    ['Infinity', undefined],
    [true, undefined]
  ]
}

for (const [name, rule] of Object.entries(rules) as [keyof typeof rules, Rule][]) {
  it(`the rule ${name} coerces as the table of claimx-tables.md section 1.2 says`, () => {
    for (const [input, expected] of table[name])
      assert.deepEqual(rule(input), expected, String(input))
  })
}

it('a decimal keeps its value exactly, whatever its exponent', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: -30, max: 30 }), (mantissa, exponent) => {
      const text = rules.decStr(`${mantissa}e${exponent}`)
      assert.ok(typeof text === 'string' && !/e/i.test(text))
      assert.equal(Number(text), Number(`${mantissa}e${exponent}`))
    })
  )
})
