/** Structs, arrays and maps are written from JavaScript and read back as they were, at any depth. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatInstant } from '../../../../src/core/index.ts'
import {
  type ColumnSpec,
  DeltaTable,
  type InputValue,
  physicalName,
  type StructType,
  type TypeSpec
} from '../../../../src/delta/index.ts'
import { allFields } from '../../../../src/delta/schema.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

type Form = 'text' | 'values'
/** A value as it is given, and the JSON text in which it is read. */
type Pair = readonly [InputValue, string]

const FIRST = -62_135_596_800_000_000n
const LAST = 253_402_300_799_999_999n
const instants = fc.bigInt({ min: FIRST, max: LAST })
const names = fc.constantFrom('a', 'B b', 'ü', 'it"s', "o'ne", 'x.y', '__proto__', 'key', 'value')

/** As DuckDB escapes: capital letters in the codes of control characters. */
const escaped = (character: string): string => {
  const plain = JSON.stringify(character).slice(1, -1)
  return plain.startsWith('\\u00') ? `\\u00${plain.slice(4).toUpperCase()}` : plain
}
const quoted = (text: string): string => `"${[...text].map(escaped).join('')}"`

function doubleText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  const text = Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e')
  return /[.e]/.test(text) ? text : `${text}.0`
}

const PRIMITIVES: readonly (readonly [TypeSpec, fc.Arbitrary<Pair>])[] = [
  [
    'string',
    fc
      .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0\x1f\x7f\v\u2028', '\\u001f"/', ''))
      .map(text => [text, quoted(text)])
  ],
  ['long', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(n => [n, String(n)])],
  ['integer', fc.integer().map(n => [n, String(n)])],
  ['short', fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }).map(n => [n, String(n)])],
  ['byte', fc.integer({ min: -128, max: 127 }).map(n => [n, String(n)])],
  ['double', fc.double().map(n => [n, doubleText(n)])],
  ['float', fc.float().map(n => [n, doubleText(n)])],
  ['boolean', fc.boolean().map(value => [value, String(value)])],
  ['date', fc.constantFrom('0001-01-01', '9999-12-31', '1582-10-10').map(d => [d, `"${d}"`])],
  ['timestamp', instants.map(at => [at, `"${formatInstant(at)}"`])],
  ['timestamp_ntz', instants.map(at => [at, `"${formatInstant(at).slice(0, -1)}"`])],
  ['binary', fc.uint8Array().map(b => [b, `"${Buffer.from(b).toString('base64')}"`])],
  [
    'decimal(38,2)',
    fc.bigInt({ min: 1n - 10n ** 36n, max: 10n ** 36n - 1n }).map(n => [n, `"${n}.00"`])
  ],
  ['decimal(2,2)', fc.constantFrom(0.25, -0.01).map(n => [n, `"${n.toFixed(2)}"`])]
]

/** A type and its values. */
interface Kind {
  readonly type: TypeSpec
  readonly values: fc.Arbitrary<Pair>
}

function orNull(values: fc.Arbitrary<Pair>): fc.Arbitrary<Pair> {
  return fc.option(values, { freq: 5 }).map(pair => pair ?? [null, 'null'])
}

function structOf(fields: readonly (readonly [string, Kind])[]): Kind {
  const type: TypeSpec = {
    type: 'struct',
    fields: fields.map(([name, kind]) => ({ name, type: kind.type }))
  }
  const values = fc.tuple(...fields.map(([, kind]) => orNull(kind.values))).map(pairs => {
    const given = Object.fromEntries(fields.map(([name], at) => [name, pairs[at]?.[0] ?? null]))
    const parts = fields.map(([name], at) => `${quoted(name)}:${pairs[at]?.[1]}`)
    return [given, `{${parts.join(',')}}`] as const
  })
  return { type, values }
}

function arrayOf({ type, values }: Kind): Kind {
  return {
    type: { type: 'array', elementType: type },
    values: fc
      .array(orNull(values), { maxLength: 5 })
      .map(pairs => [pairs.map(pair => pair[0]), `[${pairs.map(pair => pair[1]).join(',')}]`])
  }
}

function mapOf(key: Kind, value: Kind): Kind {
  const keyOf = (text: string): string => (text === '-0.0' ? '0.0' : text)
  return {
    type: { type: 'map', keyType: key.type, valueType: value.type },
    values: fc
      .uniqueArray(fc.tuple(key.values, orNull(value.values)), {
        maxLength: 4,
        selector: ([pair]) => keyOf(pair[1])
      })
      .map(entries => [
        new Map(entries.map(([k, v]) => [k[0], v[0]])),
        `[${entries.map(([k, v]) => `{"key":${k[1]},"value":${v[1]}}`).join(',')}]`
      ])
  }
}

const primitives: fc.Arbitrary<Kind> = fc
  .constantFrom(...PRIMITIVES)
  .map(([type, values]) => ({ type, values }))

function kinds(depth: number): fc.Arbitrary<Kind> {
  const inner = depth === 0 ? primitives : fc.oneof(primitives, kinds(depth - 1))
  const fields = fc.uniqueArray(fc.tuple(names, inner), {
    minLength: 1,
    maxLength: 4,
    selector: ([name]) => name
  })
  return fc.oneof(
    fields.map(structOf),
    inner.map(arrayOf),
    fc.tuple(primitives, inner).map(([key, value]) => mapOf(key, value))
  )
}

const table = kinds(2).chain(kind =>
  fc.record({
    type: fc.constant(kind.type),
    pairs: fc.array(orNull(kind.values), { minLength: 1, maxLength: 12 }),
    form: fc.constantFrom<Form>('text', 'values'),
    mode: fc.constantFrom('name', 'id')
  })
)

async function create(
  delta: TestDelta,
  name: string,
  columns: readonly ColumnSpec[],
  properties: Readonly<Record<string, string>> = {}
): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate(name, { columns, properties }, delta.ports, delta.options)
}

async function cells(of: DeltaTable): Promise<unknown[]> {
  const rows = await of.read()
  return rows.sort((a, b) => Number(a['id']) - Number(b['id'])).map(row => row['v'])
}

const keyed = { keys: ['id'] }

describe('Nested values', () => {
  test('of any type are read as they were written, merged, and copied', async () => {
    await using delta = await openTestDelta()
    let tables = 0
    await fc.assert(
      fc.asyncProperty(table, async ({ type, pairs, form, mode }) => {
        const columns: readonly ColumnSpec[] = [
          { name: 'id', type: 'integer' },
          { name: 'v', type }
        ]
        const properties = { 'delta.columnMapping.mode': mode }
        const made = await create(delta, `t${tables++}`, columns, properties)
        const texts = pairs.map(pair => (pair[0] === null ? null : pair[1]))
        const rows = pairs.map(([value], id) => ({
          id,
          v: form === 'text' ? (texts[id] ?? null) : value
        }))
        await made.append(rows)
        assert.deepEqual(await cells(made), texts)
        assert.equal((await made.merge(rows, keyed)).unchanged, rows.length)
        const last = rows.length - 1
        await made.merge([{ id: last, v: pairs[0]?.[0] ?? null }], keyed)
        assert.deepEqual(await cells(made), [...texts.slice(0, last), texts[0]])
        await made.close()
      }),
      { numRuns: 60, interruptAfterTimeLimit: 60_000 }
    )
  })

  test('have one form, whichever they are given in', async () => {
    await using delta = await openTestDelta()
    const type: TypeSpec = {
      type: 'struct',
      fields: [
        { name: 'n', type: 'decimal(38,10)' },
        { name: 'big', type: 'long' },
        { name: 'at', type: 'timestamp' },
        { name: 'd', type: 'double' },
        { name: 'm', type: { type: 'map', keyType: 'string', valueType: 'integer' } },
        { name: 'f', type: 'float' }
      ]
    }
    const made = await create(delta, 't', [{ name: 'v', type }])
    const at = 1_700_000_000_000_000n
    const whole = { n: '1.5', big: 2n ** 60n, at, d: 2, m: { a: 1 }, f: 0.1 }
    const written = JSON.stringify({
      m: [{ value: 1, key: 'a' }],
      d: 2,
      at: '2023-11-14 23:13:20+01'
    })
    const text = written.replace('{', '{"n": 1.50, "big": 1152921504606846976, "f": 0.1, ')
    const canonical =
      '{"n":"1.5000000000","big":1152921504606846976,"at":"2023-11-14T22:13:20.000000Z",' +
      '"d":2.0,"m":[{"key":"a","value":1}],"f":0.10000000149011612}'
    await made.append([{ v: whole }, { v: text }, { v: canonical }, { v: {} }])
    const rows = (await made.read()).map(row => row['v'])
    assert.deepEqual(rows.slice(0, 3), [canonical, canonical, canonical])
    assert.equal(rows[3], '{"n":null,"big":null,"at":null,"d":null,"m":null,"f":null}')
    const exact = '{"n": 1234567890123456789012345678.0123456789}'
    await made.append([{ v: exact }])
    const all = (await made.read()).map(row => String(row['v']))
    assert.ok(all.some(one => one.includes('"1234567890123456789012345678.0123456789"')))
    await made.close()
  })

  test('are refused where they do not fit, by their path', async () => {
    await using delta = await openTestDelta()
    const type: TypeSpec = {
      type: 'struct',
      fields: [
        { name: 'a', type: 'integer', nullable: false },
        { name: 'list', type: { type: 'array', elementType: 'short', containsNull: false } },
        {
          name: 'map',
          type: {
            type: 'map',
            keyType: 'double',
            valueType: { type: 'array', elementType: 'decimal(3,1)' },
            valueContainsNull: false
          }
        },
        { name: 'at', type: 'timestamp' },
        { name: 'local', type: 'timestamp_ntz' }
      ]
    }
    const made = await create(delta, 't', [{ name: 'v', type }])
    const wrong: readonly (readonly [InputValue, RegExp])[] = [
      [{}, /v\.a must not be null/],
      ['{"a": null}', /v\.a must not be null/],
      ['{"a": 1', /column v is a text that is not JSON/],
      ['[]', /column v is not an object/],
      [new Map(), /column v is not an object/],
      [5, /column v is not an object/],
      [{ a: 1.5 }, /v\.a is not a integer/],
      ['{"a": 1.0}', /v\.a is not a integer/],
      [{ a: 1, b: 2 }, /v\.b belongs to no field/],
      [{ a: 1, A: 2 }, /v\.A belongs to no field/],
      [{ a: 1, list: [1, null] }, /v\.list\[1\] must not be null/],
      [{ a: 1, list: [1, 40_000] }, /v\.list\[1\] is not a short/],
      [{ a: 1, list: 'x' }, /v\.list is not an array/],
      [{ a: 1, map: { x: [] } }, /v\.map is neither a Map nor/],
      [{ a: 1, map: new Map([[1, null]]) }, /v\.map\[0\]\.value must not be null/],
      [{ a: 1, map: new Map([[null, []]]) }, /v\.map\[0\]\.key must not be null/],
      [{ a: 1, map: new Map([[1, ['1.25']]]) }, /v\.map\[0\]\.value\[0\] is no decimal\(3,1\)/],
      [
        '{"a":1,"map":[{"key":0,"value":[]},{"key":-0.0,"value":[]}]}',
        /v\.map\[1\]\.key occurs twice/
      ],
      ['{"a":1,"map":[{"key":0,"value":[],"x":1}]}', /v\.map\[0\] is not an object of key/],
      [{ a: 1, at: '2024-01-01T00:00:00' }, /v\.at is not a timestamp as in .*Z/],
      [{ a: 1, local: '2024-01-01T00:00:00Z' }, /v\.local is not a timestamp_ntz/],
      [{ a: 1, at: '0000-01-01T00:00:00Z' }, /v\.at is not a timestamp/],
      [{ a: 1, at: LAST + 1n }, /v\.at is a timestamp outside/]
    ]
    for (const [value, message] of wrong) {
      const rejected = made.append([{ v: value }])
      await assert.rejects(rejected, { code: 'DELTA_SCHEMA_MISMATCH', message })
    }
    assert.equal((await made.snapshot()).version, 0)
    await made.append([
      { v: { a: 1, list: [], map: new Map(), at: FIRST, local: FIRST } },
      { v: null }
    ])
    assert.equal((await made.read()).length, 2)
    await made.close()
  })

  test('take part in merges by policies, but are no keys, guards or minima', async () => {
    await using delta = await openTestDelta()
    const list: TypeSpec = { type: 'array', elementType: 'integer' }
    const made = await create(delta, 't', [
      { name: 'id', type: 'integer' },
      { name: 'v', type: list },
      { name: 'first', type: list }
    ])
    const rules = { keys: ['id'], policies: { v: 'coalesce', first: 'first' } } as const
    await made.merge(
      [
        { id: 1, v: [1], first: [1] },
        { id: 2, v: null }
      ],
      rules
    )
    assert.equal((await made.merge([{ id: 1, v: [1], first: [9] }], rules)).unchanged, 1)
    await made.merge(
      [
        { id: 1, v: null },
        { id: 2, v: [2, 3], first: [4] }
      ],
      rules
    )
    const rows = (await made.read()).sort((a, b) => Number(a['id']) - Number(b['id']))
    assert.deepEqual(rows, [
      { id: 1, v: '[1]', first: '[1]' },
      { id: 2, v: '[2,3]', first: '[4]' }
    ])
    const unordered = { code: 'DELTA_UNSUPPORTED', message: /column v is nested/ }
    await assert.rejects(made.merge([], { keys: ['v'] }), unordered)
    const least = { keys: ['id'], policies: { v: 'min' } } as const
    await assert.rejects(made.merge([], least), unordered)
    const guard = { columns: ['v'], strict: true }
    await assert.rejects(made.merge([], { keys: ['id'], guard }), unordered)
    await made.close()
  })

  test('have statistics of the fields of structs, by physical names, and none of arrays and maps', async () => {
    await using delta = await openTestDelta()
    const inner = {
      name: 'deep',
      type: { type: 'struct', fields: [{ name: 'd', type: 'decimal(30,20)' }] }
    } as const
    const columns: readonly ColumnSpec[] = [
      { name: 'id', type: 'integer' },
      {
        name: 's',
        type: {
          type: 'struct',
          fields: [{ name: 'a', type: 'string' }, inner, { name: 'b', type: 'boolean' }]
        }
      },
      { name: 'list', type: { type: 'array', elementType: 'integer' } },
      { name: 'last', type: 'integer' }
    ]
    const rows = [
      { id: 1, s: { a: 'x', deep: { d: '0.00000000000000000001' }, b: true }, list: [1], last: 1 },
      { id: 2, s: { a: 'y', deep: null }, list: null, last: 2 },
      { id: 3, s: null, list: [null], last: 3 }
    ]
    const statsOf = async (table: DeltaTable): Promise<string> => {
      await table.append(rows)
      const [file] = (await table.snapshot()).files.values()
      return String(file?.stats)
    }
    const plain = await create(delta, 'plain', columns)
    const whole =
      '{"numRecords":3,"minValues":{"id":1,"s":{"a":"x","deep":{"d":0.00000000000000000001}},"last":1},' +
      '"maxValues":{"id":3,"s":{"a":"y","deep":{"d":0.00000000000000000001}},"last":3},' +
      '"nullCount":{"id":0,"s":{"a":1,"deep":{"d":2},"b":2},"last":0}}'
    assert.equal(await statsOf(plain), whole)
    const few = await create(delta, 'few', columns, { 'delta.dataSkippingNumIndexedCols': '3' })
    const nullCount = /"nullCount":{"id":0,"s":{"a":1,"deep":{"d":2}}}/
    assert.match(await statsOf(few), nullCount)
    const mapped = await create(delta, 'mapped', columns, { 'delta.columnMapping.mode': 'name' })
    const stats = await statsOf(mapped)
    const { fields } = await mapped.snapshot()
    let named = whole
    for (const field of allFields(fields)) {
      named = named.replaceAll(`"${field.name}":`, `"${physicalName(field)}":`)
    }
    assert.equal(stats, named)
  })

  test('get fields that are added to structs, null in what is stored', async () => {
    await using delta = await openTestDelta()
    const struct = (...fields: readonly ColumnSpec[]): TypeSpec => ({ type: 'struct', fields })
    const a = { name: 'a', type: 'integer' } as const
    const b = { name: 'b', type: 'string', comment: 'new' } as const
    const columns = (inner: TypeSpec): readonly ColumnSpec[] => [
      { name: 'id', type: 'integer' },
      { name: 's', type: inner },
      { name: 'list', type: { type: 'array', elementType: inner } },
      { name: 'map', type: { type: 'map', keyType: 'string', valueType: inner } }
    ]
    for (const mode of ['none', 'name', 'id']) {
      const properties = { 'delta.columnMapping.mode': mode }
      const made = await create(delta, mode, columns(struct(a)), properties)
      const old = { a: 1 }
      await made.append([{ id: 1, s: old, list: [old, null], map: { k: old } }])
      await made.addColumns(columns(struct(b, a)))
      await made.addColumns(columns(struct(a)))
      const { fields } = await made.snapshot()
      const [first, second] = (fields[1] as { type: StructType }).type.fields
      assert.equal(first?.name, 'a')
      assert.equal(second?.metadata['comment'], 'new')
      const now = { a: 2, b: 'x' }
      await made.merge([{ id: 2, s: now, list: [now], map: { k: now } }], keyed)
      await made.merge([{ id: 1, list: [] }], keyed)
      const rows = (await made.read()).sort((x, y) => Number(x['id']) - Number(y['id']))
      assert.deepEqual(rows, [
        { id: 1, s: '{"a":1,"b":null}', list: '[]', map: '[{"key":"k","value":{"a":1,"b":null}}]' },
        {
          id: 2,
          s: '{"a":2,"b":"x"}',
          list: '[{"a":2,"b":"x"}]',
          map: '[{"key":"k","value":{"a":2,"b":"x"}}]'
        }
      ])
      const refused = (inner: TypeSpec, message: RegExp): Promise<void> =>
        assert.rejects(made.addColumns(columns(inner)), { code: 'DELTA_SCHEMA_MISMATCH', message })
      await refused(struct({ ...a, type: 'string' }), /column s\.a as integer/)
      await refused(struct({ name: 'c', type: 'long', nullable: false }), /s\.c, which is not null/)
      await refused({ type: 'array', elementType: 'long' }, /column s as/)
      if (mode !== 'none') await made.renameColumn(['s', 'a'], 'renamed')
      await made.close()
    }
  })
})
