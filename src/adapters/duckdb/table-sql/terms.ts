/** Parts of a portable expression: SQL for DuckDB, and of what kind its values are. */
import { type DataType, decimalOf, type EngineColumn } from '../../../delta/index.ts'
import { sqlType } from '../sql.ts'
import { NotPortable } from './lexical.ts'

export interface Decimal {
  readonly precision: number
  readonly scale: number
}

export interface Term {
  readonly sql: string
  /** A Delta type without parameters; `other`: one of which only null can be told. */
  readonly kind: Kind
  /** Of kind `decimal`. */
  readonly decimal?: Decimal
  /** Of a literal. */
  readonly literal?: string | number | bigint
}

export type Kind = (typeof KINDS)[number] | 'decimal' | 'null' | 'other'

const KINDS = [
  'boolean',
  'string',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamp_ntz'
] as const
const WHOLE: readonly Kind[] = ['byte', 'short', 'integer', 'long']
/** Digits that an integer of the kind may have. */
const DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 19 }
const LARGEST_PRECISION = 38
const DATE_TEXT = /^\d{4}-\d{2}-\d{2}$/
const INSTANT_TEXT = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?$/

export function columnTerm(sql: string, type: DataType): Term {
  const decimal = decimalOf(type)
  if (decimal !== undefined) return { sql, kind: 'decimal', decimal }
  const kind = KINDS.find(known => known === type)
  return { sql, kind: kind ?? 'other' }
}

export const nullTerm: Term = { sql: 'NULL', kind: 'null' }

export function isWhole({ kind }: Term): boolean {
  return WHOLE.includes(kind)
}

export function booleanTerm(sql: string): Term {
  return { sql: `(${sql})`, kind: 'boolean' }
}

/** The SQL of a condition. */
export function condition(term: Term): string {
  if (term.kind === 'boolean' || term.kind === 'null') return term.sql
  throw new NotPortable(`a ${term.kind} stands where a condition must`)
}

/** The value as another kind, where both engines make the same of it. */
export function cast(term: Term, kind: Kind, decimal?: Decimal): Term {
  const type = decimal === undefined ? kind : `decimal(${decimal.precision},${decimal.scale})`
  const made: Term = {
    sql: `CAST(${term.sql} AS ${sqlType(type)})`,
    kind,
    ...(decimal === undefined ? {} : { decimal })
  }
  if (term.kind === kind && decimal === undefined) return term
  if (term.kind === 'null') return made
  if (isWhole(term) && (WHOLE.includes(kind) || kind === 'double' || kind === 'string')) return made
  if (isWhole(term) && decimal !== undefined) return made
  const from = term.decimal
  if (from !== undefined && decimal !== undefined) {
    const widens = decimal.scale >= from.scale
    if (widens && decimal.precision - decimal.scale >= from.precision - from.scale) return made
  }
  // The text of a literal gives the nearest number.
  if (from !== undefined && kind === 'double' && term.literal !== undefined) {
    return { sql: `CAST('${term.literal}' AS DOUBLE)`, kind }
  }
  if (term.kind === 'float' && kind === 'double') return made
  if (term.kind === 'boolean' && kind === 'string') return made
  if (term.kind === 'date' && /^(string|timestamp|timestamp_ntz)$/.test(kind)) return made
  if (/^timestamp(_ntz)?$/.test(term.kind) && kind === 'date') return made
  if (typeof term.literal === 'string' && term.kind === 'string') {
    const pattern = kind === 'date' ? DATE_TEXT : INSTANT_TEXT
    if (/^(date|timestamp|timestamp_ntz)$/.test(kind) && pattern.test(term.literal)) return made
    if (kind === 'boolean' && /^(t|f|true|false)$/.test(term.literal)) return made
  }
  throw new NotPortable(
    `a ${term.kind} cannot be cast to a ${type} with the same result everywhere`
  )
}

/** Both as values that are compared, or added, in the same way everywhere. */
export function alike(a: Term, b: Term): readonly [Term, Term] {
  if (a.kind === 'null' || b.kind === 'null') return [a, b]
  const kind = commonKind(a, b) ?? commonKind(b, a)
  if (kind === 'decimal') {
    const [x, y] = [decimalTerm(a), decimalTerm(b)]
    const scale = Math.max(x.scale, y.scale)
    const precision = Math.max(x.precision - x.scale, y.precision - y.scale) + scale
    if (precision > LARGEST_PRECISION) throw new NotPortable('its decimals are too long')
    return [cast(a, 'decimal', { precision, scale }), cast(b, 'decimal', { precision, scale })]
  }
  if (kind !== undefined) return [cast(a, kind), cast(b, kind)]
  throw new NotPortable(`a ${a.kind} and a ${b.kind} are not compared in the same way everywhere`)
}

function commonKind(a: Term, b: Term): Kind | undefined {
  if (a.kind === 'other' || b.kind === 'other') return undefined
  if (a.kind === b.kind) return a.kind
  if (isWhole(a) && isWhole(b)) {
    return WHOLE.indexOf(a.kind) > WHOLE.indexOf(b.kind) ? a.kind : b.kind
  }
  if (a.kind === 'decimal' && isWhole(b)) return 'decimal'
  if (a.kind === 'double' && b.kind !== 'string') {
    const exact =
      isWhole(b) || b.kind === 'float' || (b.kind === 'decimal' && b.literal !== undefined)
    return exact ? 'double' : undefined
  }
  if (a.kind === 'float' && b.kind === 'decimal' && b.literal !== undefined) return 'double'
  if (/^timestamp/.test(a.kind) && b.kind === 'date') return a.kind
  const literal = b.kind === 'string' && b.literal !== undefined
  return literal && /^(date|timestamp|timestamp_ntz)$/.test(a.kind) ? a.kind : undefined
}

/** Digits of a decimal, or of a decimal that holds the integers of a kind. */
export function decimalTerm(term: Term): Decimal {
  return term.decimal ?? { precision: DIGITS[term.kind] ?? 0, scale: 0 }
}

/** All of one kind, as the results of a CASE must be. */
export function unified(terms: readonly Term[]): readonly Term[] {
  let widest: Term = nullTerm
  for (const term of terms) {
    const [a, b] = alike(widest, term)
    widest = a.kind === 'null' ? b : a
  }
  if (widest.kind === 'null') return terms
  return terms.map(term => (term.kind === 'null' ? term : alike(widest, term)[1]))
}

/** The expression as a value of the column. */
export function assigned(term: Term, type: DataType): string {
  const column = columnTerm('', type)
  if (term.kind === 'null') return `CAST(NULL AS ${sqlType(type)})`
  if (column.kind === 'other') throw new NotPortable('its column is of a type that is not computed')
  const literal = term.kind === 'string' && term.literal !== undefined
  const numbers = isWhole(column) && isWhole(term)
  const wider = column.kind === 'decimal' && (isWhole(term) || term.kind === 'decimal')
  const exact =
    column.kind === 'double' &&
    (isWhole(term) ||
      term.kind === 'float' ||
      (term.kind === 'decimal' && term.literal !== undefined))
  const times = /^(date|timestamp)/.test(column.kind) && (literal || term.kind === 'date')
  if (column.kind !== term.kind && !numbers && !wider && !exact && !times) {
    throw new NotPortable(`it is a ${term.kind} and its column a ${column.kind}`)
  }
  return cast(term, column.kind, column.decimal).sql
}

/** The column that a name begins with, and the type of what the whole of it names. */
export function findColumn(
  schema: readonly EngineColumn[],
  names: readonly string[]
): { readonly column: string; readonly type: DataType } | undefined {
  const [first = '', ...rest] = names.map(name => name.toLowerCase())
  const column = schema.find(({ name }) => name.toLowerCase() === first)
  let type: DataType | undefined = column?.type
  for (const name of rest) {
    const fields = typeof type === 'object' && type.type === 'struct' ? type.fields : []
    type = fields.find(field => field.name.toLowerCase() === name)?.type
  }
  return column === undefined || type === undefined ? undefined : { column: column.name, type }
}
