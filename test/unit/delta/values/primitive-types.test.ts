/** Every primitive type is written from JavaScript and read back as it was (src/delta/README.md "Values"). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CellValue } from '../../../../src/core/index.ts'
import {
  type ColumnSpec,
  compareCells,
  DeltaTable,
  type InputRow,
  type InputValue
} from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

type Type = ColumnSpec['type'] & string

const FIRST = -62_135_596_800_000_000n
const LAST = 253_402_300_799_999_999n

const days = fc
  .integer({ min: -719_162, max: 2_932_896 })
  .map(day => new Date(day * 86_400_000).toISOString().slice(0, 10))
const instants = fc.oneof(
  fc.constantFrom(FIRST, LAST, 0n, -1n),
  fc.bigInt({ min: FIRST, max: LAST })
)
const longs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(value => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
})

function decimals(precision: number, scale: number): fc.Arbitrary<string> {
  const limit = 10n ** BigInt(precision) - 1n
  return fc.bigInt({ min: -limit, max: limit }).map(value => {
    const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
    const at = digits.length - scale
    const fraction = scale === 0 ? '' : `.${digits.slice(at)}`
    return `${value < 0n ? '-' : ''}${digits.slice(0, at)}${fraction}`
  })
}

/** Values in their one form. */
/** DuckDB's dictionaries hold 0 and -0 of one column as one value: alone each comes back as it was. */
const oneZero = (value: number): number => (value === 0 ? 0 : value)

const VALUES: readonly (readonly [Type, fc.Arbitrary<CellValue>])[] = [
  ['string', fc.string({ unit: 'binary' })],
  ['long', longs],
  ['integer', fc.integer()],
  ['short', fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })],
  ['byte', fc.integer({ min: -128, max: 127 })],
  ['double', fc.double().map(oneZero)],
  ['float', fc.float().map(oneZero)],
  ['boolean', fc.boolean()],
  ['binary', fc.uint8Array().map(bytes => Buffer.from(bytes).toString('base64'))],
  ['date', days],
  ['timestamp', instants],
  ['timestamp_ntz', instants],
  ['decimal(1,0)', decimals(1, 0)],
  ['decimal(3,3)', decimals(3, 3)],
  ['decimal(9,4)', decimals(9, 4)],
  ['decimal(18,2)', decimals(18, 2)],
  ['decimal(38,10)', decimals(38, 10)],
  ['decimal(38,38)', decimals(38, 38)]
]
const NAMES = VALUES.map((_, index) => `c${index}`)
const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'integer', nullable: false },
  ...VALUES.map(([type], index) => ({ name: `c${index}`, type }))
]
const row = fc.tuple(...VALUES.map(([, values]) => fc.option(values, { freq: 8 })))

async function create(
  delta: TestDelta,
  name: string,
  own: readonly ColumnSpec[] = columns,
  partitionBy: readonly string[] = []
): Promise<DeltaTable> {
  const spec = { columns: own, partitionBy }
  return await DeltaTable.openOrCreate(name, spec, delta.ports, delta.options)
}

async function rowsById(table: DeltaTable): Promise<Record<string, CellValue>[]> {
  return (await table.read()).sort((a, b) => Number(a['id']) - Number(b['id']))
}

const keyed = { keys: ['id'] }

describe('Values of every primitive type', () => {
  test('are read as they were appended, and as they were merged, copied and stored again', async () => {
    await using delta = await openTestDelta()
    let tables = 0
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async cells => {
        const table = await create(delta, `t${tables++}`)
        const rows = cells.map((values, id) => ({
          id,
          ...Object.fromEntries(NAMES.map((name, index) => [name, values[index] ?? null]))
        }))
        await table.append(rows)
        assert.deepEqual(await rowsById(table), rows)
        const same = await table.merge(rows, keyed)
        assert.equal(same.unchanged, rows.length)
        // The stored rows pass through JavaScript, and their file is copied without one of them.
        const changed = rows.map((one, at) => ({
          id: one.id,
          c1: at % 2 === 0 ? 7 : (cells[at]?.[1] ?? null)
        }))
        await table.merge(changed.slice(1), keyed)
        const wanted = rows.map((one, at) => ({ ...one, ...(at === 0 ? {} : changed[at]) }))
        assert.deepEqual(await rowsById(table), wanted)
        await table.close()
      }),
      { numRuns: 25 }
    )
  })

  test('are found again by key, and by the statistics of their files', async () => {
    await using delta = await openTestDelta()
    for (const [index, [type, values]] of VALUES.entries()) {
      if (type === 'boolean') continue
      const own: readonly ColumnSpec[] = [
        { name: 'key', type },
        { name: 'n', type: 'integer' }
      ]
      const table = await create(delta, `k${index}`, own)
      const samples = fc.sample(values, { numRuns: 60, seed: index }).filter(cell => cell !== null)
      // Keys are compared as SQL does: zeros of both signs are one.
      const keys = [...new Map(samples.map(cell => [String(cell), cell])).values()]
      for (const part of [keys.slice(0, 20), keys.slice(20)]) {
        if (part.length > 0) await table.append(part.map(key => ({ key, n: 0 })))
      }
      const found = await table.findKeys('key', keys)
      assert.equal(found.size, keys.length, type)
      const merged = await table.merge(
        keys.map(key => ({ key, n: 1 })),
        { keys: ['key'] }
      )
      assert.equal(merged.updated, keys.length, type)
      assert.equal((await table.verify(['key'])).rows, keys.length, type)
      await table.close()
    }
  })

  test('name partitions, and come back from the log as they were', async () => {
    await using delta = await openTestDelta()
    const texts = fc.sample(fc.string({ minLength: 1, unit: 'grapheme' }), { numRuns: 6, seed: 1 })
    for (const [index, [type, values]] of VALUES.entries()) {
      const own: readonly ColumnSpec[] = [
        { name: 'id', type: 'integer' },
        { name: 'p', type }
      ]
      const table = await create(delta, `p${index}`, own, ['p'])
      const odd = [...texts, 'a/b=c%20d?&#', ' blank ', '\u0001\u0002\u0003', 'null', '😀ü']
      const cells: CellValue[] =
        type === 'string' ? odd : fc.sample(values, { numRuns: 8, seed: 2 })
      if (type === 'binary')
        cells.splice(0, 8, ...odd.map(text => Buffer.from(text).toString('base64')))
      if (type === 'double' || type === 'float') cells.push(Number.NaN, -0, Infinity, -Infinity)
      const rows = [...cells, null].map((p, id) => ({ id, p }))
      await table.append(rows)
      assert.deepEqual(await rowsById(table), rows, type)
      const merged = await table.merge(rows, { keys: ['id', 'p'], insertOnly: true })
      assert.equal(merged.inserted, 0, type)
      await table.optimize()
      assert.deepEqual(await rowsById(table), rows, type)
      await table.close()
    }
  })

  test('may be given in other forms, and are brought to the one', async () => {
    await using delta = await openTestDelta()
    const given: readonly (readonly [Type, InputValue, CellValue])[] = [
      ['decimal(10,3)', 1.5, '1.500'],
      ['decimal(10,3)', 7n, '7.000'],
      ['decimal(3,3)', '-.5', '-0.500'],
      ['binary', new Uint8Array([0, 255, 1]), 'AP8B'],
      ['binary', Buffer.from('text').subarray(1, 3), 'ZXg='],
      ['float', 0.1, Math.fround(0.1)],
      ['short', 5n, 5],
      ['byte', -0, 0],
      ['long', 12n, 12]
    ]
    const own = given.map(([type], index) => ({ name: `c${index}`, type }))
    const table = await create(delta, 't', own)
    const values = (at: 1 | 2): InputRow =>
      Object.fromEntries(given.map((one, index) => [`c${index}`, one[at]]))
    await table.append([values(1)])
    const rows = await table.read()
    assert.deepEqual(rows, [values(2)])
    assert.ok(Object.is(rows[0]?.['c7'], 0))
    await table.close()
  })

  test('are refused when they do not fit, by the name of the column', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, 't', [
      ...VALUES.map(([type], index) => ({ name: `c${index}`, type })),
      { name: 'm', type: 'decimal(5,2)' }
    ])
    const wrong: readonly (readonly [Type | 'm', InputValue])[] = [
      ['short', 2 ** 15],
      ['byte', -129],
      ['byte', 1.5],
      ['integer', 2n ** 40n],
      ['float', 1e39],
      ['float', '1'],
      ['m', '1.234'],
      ['m', '1000'],
      ['m', 0.1 + 0.2],
      ['m', true],
      ['binary', 'not base64'],
      ['binary', 'YWI'],
      ['binary', 'YWJ='],
      ['date', '2023-02-29'],
      ['date', '0000-01-01'],
      ['date', '-0001-01-01'],
      ['date', '10000-01-01'],
      ['timestamp', FIRST - 1n],
      ['timestamp', LAST + 1n],
      ['timestamp_ntz', LAST + 1n],
      ['timestamp_ntz', 5],
      ['string', new Uint8Array(1)]
    ]
    for (const [type, value] of wrong) {
      const index = VALUES.findIndex(([known]) => known === type)
      const name = index < 0 ? type : `c${index}`
      const message = new RegExp(`column ${name} `)
      const expected = { code: 'DELTA_SCHEMA_MISMATCH', message }
      await assert.rejects(table.append([{ [name]: value }]), expected, `${type} ${value}`)
    }
    assert.equal((await table.snapshot()).version, 0)
    const binary = await create(
      delta,
      'p',
      [
        { name: 'id', type: 'long' },
        { name: 'p', type: 'binary' }
      ],
      ['p']
    )
    await assert.rejects(binary.append([{ id: 1, p: new Uint8Array([0xff]) }]), {
      code: 'DELTA_UNSUPPORTED',
      message: /only bytes that are UTF-8/
    })
    await table.close()
  })

  test('are compared by value where a rule asks which is smaller or newer', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, 't', [
      { name: 'id', type: 'long' },
      { name: 'least', type: 'decimal(10,2)' },
      { name: 'bytes', type: 'binary' },
      { name: 'seen', type: 'decimal(38,0)' },
      { name: 'name', type: 'string' }
    ])
    const rules = {
      keys: ['id'],
      policies: { least: 'min', bytes: 'min' },
      guard: { columns: ['seen'], strict: false }
    } as const
    await table.merge([{ id: 1, least: '9', bytes: 'gA==', seen: 9, name: 'a' }], rules)
    await table.merge([{ id: 1, least: '10', bytes: '/w==', seen: 10, name: 'b' }], rules)
    await table.merge([{ id: 1, least: '-10', bytes: 'AA==', seen: 2, name: 'c' }], rules)
    const [row] = await table.read()
    assert.deepEqual(row, { id: 1, least: '-10.00', bytes: 'AA==', seen: '10', name: 'b' })
    await table.merge([{ id: 1, least: '-9', bytes: 'aA==', seen: '11', name: 'd' }], rules)
    const [after] = await table.read()
    assert.deepEqual(after, { id: 1, least: '-10.00', bytes: 'AA==', seen: '11', name: 'd' })
    assert.ok(compareCells('/w==', 'aA==', 'binary') > 0)
    await table.close()
  })

  test('that a table cannot have without a feature bring it along, when they are added too', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, 't', [{ name: 'id', type: 'long' }])
    await table.addColumns([{ name: 'local', type: 'timestamp_ntz' }])
    const { protocol } = await table.snapshot()
    assert.ok(protocol.readerFeatures?.includes('timestampNtz'))
    assert.ok(protocol.writerFeatures?.includes('timestampNtz'))
    await table.append([{ id: 1, local: 5n }])
    assert.deepEqual(await table.read(), [{ id: 1, local: 5n }])
    await table.close()
  })
})
