/**
 * The column types of generated tables: a random value, and the same value in the canonical form. A type
 * that our engine does not write yet is found out by trying (`supported.ts`) and left out.
 */
import type { InputValue, TypeSpec } from '../../../src/delta/index.ts'
import { type Cell, sortedCells } from '../../helpers/canonical.ts'
import type { Random } from './random.ts'

export interface ColumnKind {
  readonly type: TypeSpec
  value(random: Random): InputValue
  /** Of partition columns, where not every value can be one. */
  partitionValue?(random: Random): InputValue
  canonical(value: InputValue): Cell
}

const TEXTS = [
  'plain',
  'it\'s "quoted"\\',
  'ünï😀',
  'new\nline\ttab',
  'a/b=c%20d?&#',
  ' blank ',
  'null',
  '__HIVE_DEFAULT_PARTITION__',
  'ﬀ\u{10ffff}',
  `long ${'z'.repeat(60)}`
]
const DAY = 86_400_000
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896
const text = (value: InputValue): string => String(value)

const PRIMITIVE_KINDS: readonly ColumnKind[] = [
  {
    type: 'string',
    value: random => (random.chance(0.4) ? random.pick(TEXTS) : `text ${random.int(0, 50)}`),
    canonical: text
  },
  {
    type: 'long',
    value: random =>
      random.chance(0.5)
        ? random.int(-1000, 1000)
        : random.pick([2n ** 63n - 1n, -(2n ** 63n), 9_007_199_254_740_993n, 0]),
    canonical: text
  },
  { type: 'integer', value: random => whole(random, 2 ** 31), canonical: text },
  { type: 'short', value: random => whole(random, 2 ** 15), canonical: text },
  { type: 'byte', value: random => whole(random, 2 ** 7), canonical: text },
  {
    type: 'double',
    value: random =>
      random.chance(0.3)
        ? random.pick([Number.NaN, Infinity, -Infinity, 5e-324, 1.7976931348623157e308])
        : random.int(-1000, 1000) / 7,
    canonical: value => bits(Number(value), 8)
  },
  {
    type: 'float',
    value: random =>
      random.chance(0.2)
        ? random.pick([Number.NaN, Infinity, -Infinity, 2 ** -149, Math.fround(3.4e38)])
        : Math.fround(random.int(-1000, 1000) / 7),
    canonical: value => bits(Number(value), 4)
  },
  { type: 'boolean', value: random => random.chance(0.5), canonical: value => value === true },
  {
    type: 'date',
    value: random => dateText(random.chance(0.3) ? anyDay(random) : random.int(0, 20_000)),
    canonical: value => String(Date.parse(`${text(value)}T00:00:00Z`) / DAY)
  },
  { type: 'timestamp', value: instant, canonical: text },
  { type: 'timestamp_ntz', value: instant, canonical: text },
  {
    type: 'decimal(10,3)',
    value: random =>
      `${random.int(-9_999_999, 9_999_999)}.${String(random.int(0, 999)).padStart(3, '0')}`,
    canonical: text
  },
  {
    type: 'decimal(38,0)',
    value: random => `${random.pick(['', '-'])}${'9'.repeat(random.int(1, 38))}`,
    canonical: text
  },
  {
    type: 'decimal(18,18)',
    value: random => `${random.pick(['', '-'])}0.${digits(random, 17)}1`,
    canonical: text
  },
  {
    type: 'decimal(3,1)',
    value: random => `${random.int(-99, 99)}.${random.int(0, 9)}`.replace(/^-?0\.0$/, '0.0'),
    canonical: text
  },
  {
    type: 'binary',
    value: random => base64(Array.from({ length: random.int(0, 40) }, () => random.int(0, 255))),
    // The log has a form only for bytes that are UTF-8.
    partitionValue: random => base64([...Buffer.from(random.pick(TEXTS)), random.int(1, 127)]),
    canonical: value => Buffer.from(text(value), 'base64').toString('hex')
  }
]

const SIMPLE = PRIMITIVE_KINDS.filter(({ type }) => type !== 'boolean')
const kindOf = (type: TypeSpec): ColumnKind =>
  PRIMITIVE_KINDS.find(kind => kind.type === type) as ColumnKind

export const COLUMN_KINDS: readonly ColumnKind[] = [
  ...PRIMITIVE_KINDS,
  structOf({
    'in.side': kindOf('string'),
    Money: kindOf('decimal(10,3)'),
    at: kindOf('timestamp')
  }),
  structOf({ deep: structOf({ bytes: kindOf('binary'), n: kindOf('long') }), f: kindOf('float') }),
  ...SIMPLE.map(arrayOf),
  ...['string', 'date', 'decimal(38,0)', 'binary'].map((type, at) =>
    mapOf(kindOf(type as TypeSpec), SIMPLE[at * 2 + 1] as ColumnKind)
  ),
  arrayOf(structOf({ x: kindOf('short'), day: kindOf('date'), list: arrayOf(kindOf('double')) })),
  mapOf(kindOf('long'), arrayOf(structOf({ y: kindOf('timestamp_ntz'), z: kindOf('byte') })))
]

/** A null now and then; a value that is never null where `nullable` is false. */
function some(kind: ColumnKind, random: Random): InputValue {
  return random.chance(0.2) ? null : kind.value(random)
}

function cellOf(kind: ColumnKind, value: InputValue | undefined): Cell {
  return value === null || value === undefined ? null : kind.canonical(value)
}

function structOf(fields: Readonly<Record<string, ColumnKind>>): ColumnKind {
  const entries = Object.entries(fields)
  return {
    type: { type: 'struct', fields: entries.map(([name, { type }]) => ({ name, type })) },
    value: random => Object.fromEntries(entries.map(([name, kind]) => [name, some(kind, random)])),
    canonical: value =>
      entries.map(([name, kind]) => cellOf(kind, (value as Record<string, InputValue>)[name]))
  }
}

function arrayOf(element: ColumnKind): ColumnKind {
  return {
    type: { type: 'array', elementType: element.type },
    value: random => Array.from({ length: random.int(0, 4) }, () => some(element, random)),
    canonical: value => (value as InputValue[]).map(one => cellOf(element, one))
  }
}

function mapOf(key: ColumnKind, entry: ColumnKind): ColumnKind {
  return {
    type: { type: 'map', keyType: key.type, valueType: entry.type },
    value: random => {
      const entries = Array.from({ length: random.int(0, 4) }, () => [
        key.value(random),
        some(entry, random)
      ])
      const once = new Map(entries.map(([k, v]) => [String(k), [k, v] as const]))
      return new Map(once.values()) as InputValue
    },
    canonical: value =>
      sortedCells(
        [...(value as Map<InputValue, InputValue>)].map(([k, v]) => [
          cellOf(key, k),
          cellOf(entry, v)
        ])
      )
  }
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.int(0, 9)).join('')
}

function base64(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('base64')
}

function whole(random: Random, limit: number): number {
  return random.chance(0.2) ? random.pick([limit - 1, -limit, 0]) : random.int(-100, 100)
}

function anyDay(random: Random): number {
  return random.pick([FIRST_DAY, LAST_DAY, -141_427, random.int(FIRST_DAY, LAST_DAY)])
}

function dateText(day: number): string {
  const date = new Date(day * DAY)
  const parts = [date.getUTCMonth() + 1, date.getUTCDate()].map(part =>
    String(part).padStart(2, '0')
  )
  return [String(date.getUTCFullYear()).padStart(4, '0'), ...parts].join('-')
}

function instant(random: Random): bigint {
  const day = random.chance(0.3) ? anyDay(random) : random.int(0, 20_000)
  return BigInt(day) * 86_400_000_000n + BigInt(random.int(0, 86_399_999_999))
}

function bits(number: number, bytes: 4 | 8): string {
  if (Number.isNaN(number)) return 'NaN'
  const buffer = Buffer.alloc(bytes)
  if (bytes === 8) buffer.writeDoubleBE(number)
  else buffer.writeFloatBE(number)
  return buffer.toString('hex')
}
