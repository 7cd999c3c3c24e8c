/** The functions and operators that DuckDB and Spark compute alike. What is not here is refused. */
import { literal } from '../sql.ts'
import { NotPortable } from './lexical.ts'
import {
  alike,
  booleanTerm,
  cast,
  condition,
  decimalTerm,
  isWhole,
  type Kind,
  type Term,
  unified
} from './terms.ts'

type Builder = (args: readonly Term[]) => Term

const LARGEST_PRECISION = 38

const PARTS: Readonly<Record<string, string>> = {
  year: 'year',
  quarter: 'quarter',
  month: 'month',
  day: 'day',
  dayofmonth: 'day',
  dayofyear: 'dayofyear'
}
const CLOCK_PARTS = ['hour', 'minute', 'second']
const UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second']
const FORMATS: Readonly<Record<string, string>> = {
  yyyy: '%Y',
  'yyyy-MM': '%Y-%m',
  'yyyy-MM-dd': '%Y-%m-%d',
  'yyyy-MM-dd-HH': '%Y-%m-%d-%H',
  yyyyMM: '%Y%m',
  yyyyMMdd: '%Y%m%d'
}

const FUNCTIONS: Readonly<Record<string, Builder>> = {
  '+': args => (args.length === 2 ? sum('+', args) : refuse('+')),
  '-': args => (args.length === 2 ? sum('-', args) : negated(args)),
  '*': product,
  '/': quotient,
  '%': remainder,
  mod: remainder,
  '||': joinedText,
  concat: joinedText,
  '~~': args => like(args, 'LIKE'),
  '!~~': args => like(args, 'NOT LIKE'),
  '<=>': ([a, b]) => {
    const [x, y] = alike(given(a), given(b))
    return booleanTerm(`${x.sql} IS NOT DISTINCT FROM ${y.sql}`)
  },
  abs: ([value]) => {
    const term = given(value)
    if (!isWhole(term) && !/^(double|decimal)$/.test(term.kind)) return refuse('abs')
    return { ...withoutLiteral(term), sql: `abs(${term.sql})` }
  },
  nvl: chosen,
  length,
  char_length: length,
  character_length: length,
  lower: args => inAscii('lower', args),
  lcase: args => inAscii('lower', args),
  upper: args => inAscii('upper', args),
  ucase: args => inAscii('upper', args),
  substring,
  substr: substring,
  startswith: args => textCondition('starts_with', args),
  endswith: args => textCondition('ends_with', args),
  contains: args => textCondition('contains', args),
  isnull: ([value]) => booleanTerm(`${given(value).sql} IS NULL`),
  isnotnull: ([value]) => booleanTerm(`${given(value).sql} IS NOT NULL`),
  isnan: ([value]) => {
    const term = given(value)
    if (!/^(double|float)$/.test(term.kind)) return refuse('isnan')
    return booleanTerm(`coalesce(isnan(${term.sql}), false)`)
  },
  to_date: args => (args.length === 1 ? cast(given(args[0]), 'date') : refuse('to_date')),
  date: args => (args.length === 1 ? cast(given(args[0]), 'date') : refuse('date')),
  date_trunc: truncated,
  date_format: formatted,
  ...Object.fromEntries(
    Object.entries(PARTS).map(([name, part]) => [
      name,
      (args: readonly Term[]) => datePart(part, args)
    ])
  ),
  ...Object.fromEntries(
    CLOCK_PARTS.map(part => [part, (args: readonly Term[]) => clockPart(part, args)])
  )
}

/** Rejects with `NotPortable`. */
export function functionTerm(name: string, args: readonly Term[]): Term {
  const build = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (build === undefined) throw new NotPortable(`of ${name} in it`)
  return build(args)
}

function refuse(name: string): never {
  throw new NotPortable(`of ${name} with such arguments in it`)
}

function given(term: Term | undefined): Term {
  if (term === undefined) throw new NotPortable('an argument is missing in it')
  return term
}

function withoutLiteral({ sql, kind, decimal }: Term): Term {
  return { sql, kind, ...(decimal === undefined ? {} : { decimal }) }
}

/** Integers overflow with an error, so that no sum is ever a wrong one. */
function sum(operator: '+' | '-', [left, right]: readonly Term[]): Term {
  const [a, b] = [given(left), given(right)]
  if (a.kind === 'date' && isWhole(b) && b.kind !== 'long') {
    return { sql: `(${a.sql} ${operator} ${cast(b, 'integer').sql})`, kind: 'date' }
  }
  const [x, y] = alike(a, b)
  const sql = `(${x.sql} ${operator} ${y.sql})`
  if (isWhole(x) && isWhole(y)) return { sql: `CAST(${sql} AS ${wholeType(x)})`, kind: x.kind }
  if (x.kind === 'double') return { sql, kind: 'double' }
  if (x.kind !== 'decimal') return refuse(operator)
  const { precision, scale } = decimalTerm(x)
  return decimal(sql, precision + 1, scale)
}

function product([left, right]: readonly Term[]): Term {
  const [a, b] = [given(left), given(right)]
  if (a.kind === 'decimal' || b.kind === 'decimal') {
    if (![a, b].every(term => term.kind === 'decimal' || isWhole(term))) return refuse('*')
    const [x, y] = [decimalTerm(a), decimalTerm(b)]
    const sql = `(${cast(a, 'decimal', x).sql} * ${cast(b, 'decimal', y).sql})`
    return decimal(sql, x.precision + y.precision + 1, x.scale + y.scale)
  }
  const [x, y] = alike(a, b)
  const sql = `(${x.sql} * ${y.sql})`
  if (isWhole(x) && isWhole(y)) return { sql: `CAST(${sql} AS ${wholeType(x)})`, kind: x.kind }
  return x.kind === 'double' ? { sql, kind: 'double' } : refuse('*')
}

/** Spark rounds what is longer. */
function decimal(sql: string, precision: number, scale: number): Term {
  if (precision > LARGEST_PRECISION) throw new NotPortable('its decimals are too long')
  const type = `DECIMAL(${precision},${scale})`
  return { sql: `CAST(${sql} AS ${type})`, kind: 'decimal', decimal: { precision, scale } }
}

function wholeType({ kind }: Term): string {
  return { byte: 'TINYINT', short: 'SMALLINT', integer: 'INTEGER' }[kind as string] ?? 'BIGINT'
}

function negated([value]: readonly Term[]): Term {
  const term = given(value)
  if (!isWhole(term) && !/^(double|float|decimal)$/.test(term.kind)) return refuse('-')
  return { ...withoutLiteral(term), sql: `(- ${term.sql})` }
}

/** What dividing by zero gives differs, so the divisor must be a literal. */
function divisor(term: Term): Term {
  if (term.literal !== undefined && Number(term.literal) !== 0) return term
  throw new NotPortable('it divides by what may be zero')
}

function quotient([left, right]: readonly Term[]): Term {
  const [a, b] = [cast(given(left), 'double'), cast(divisor(given(right)), 'double')]
  return { sql: `(${a.sql} / ${b.sql})`, kind: 'double' }
}

function remainder([left, right]: readonly Term[]): Term {
  const [a, b] = alike(given(left), divisor(given(right)))
  if (!isWhole(a) || !isWhole(b)) return refuse('%')
  return { sql: `(${a.sql} % ${b.sql})`, kind: a.kind }
}

function texts(name: string, args: readonly Term[]): readonly Term[] {
  return args.every(({ kind }) => kind === 'string') ? args : refuse(name)
}

/** DuckDB's `concat` passes over nulls; `||` does not, as Spark. */
function joinedText(args: readonly Term[]): Term {
  const parts = texts('concat', args).map(({ sql }) => sql)
  return { sql: `(${parts.join(' || ')})`, kind: 'string' }
}

function like(args: readonly Term[], operator: string): Term {
  const [value, pattern] = texts('LIKE', args)
  if (typeof pattern?.literal !== 'string' || pattern.literal.includes('\\')) return refuse('LIKE')
  return booleanTerm(`${given(value).sql} ${operator} ${literal(pattern.literal)}`)
}

function textCondition(name: string, args: readonly Term[]): Term {
  if (args.length !== 2) return refuse(name)
  return booleanTerm(
    `${name}(${texts(name, args)
      .map(({ sql }) => sql)
      .join(', ')})`
  )
}

function length(args: readonly Term[]): Term {
  if (args.length !== 1) return refuse('length')
  return { sql: `CAST(length(${texts('length', args)[0]?.sql}) AS INTEGER)`, kind: 'integer' }
}

/** Beyond ASCII the engines differ about single letters, so such a text is an error. */
function inAscii(name: string, args: readonly Term[]): Term {
  if (args.length !== 1) return refuse(name)
  const sql = given(texts(name, args)[0]).sql
  const fault = literal(`${name} is computed for ASCII texts only`)
  return {
    sql: `CASE WHEN ${sql} IS NULL THEN NULL WHEN strlen(${sql}) = length(${sql}) THEN ${name}(${sql}) ELSE error(${fault}) END`,
    kind: 'string'
  }
}

function substring([value, from, count]: readonly Term[]): Term {
  const text = given(texts('substring', [given(value)])[0])
  const [start, characters] = [from?.literal, count?.literal]
  if (typeof start !== 'number' || start < 1) return refuse('substring')
  if (count === undefined) return { sql: `substring(${text.sql}, ${start})`, kind: 'string' }
  if (typeof characters !== 'number' || characters < 0) return refuse('substring')
  return { sql: `substring(${text.sql}, ${start}, ${characters})`, kind: 'string' }
}

function chosen(args: readonly Term[]): Term {
  const terms = unified(args)
  const kind = terms.find(term => term.kind !== 'null') ?? given(terms[0])
  return { ...withoutLiteral(kind), sql: `coalesce(${terms.map(({ sql }) => sql).join(', ')})` }
}

export { chosen as coalesceTerm }

/** Points in time are taken in UTC. */
function datePart(part: string, args: readonly Term[]): Term {
  const [value] = args
  if (args.length !== 1 || !/^(date|timestamp|timestamp_ntz)$/.test(given(value).kind)) {
    return refuse(part)
  }
  return { sql: `CAST(${part}(${given(value).sql}) AS INTEGER)`, kind: 'integer' }
}

function clockPart(part: string, args: readonly Term[]): Term {
  return args[0]?.kind === 'date' ? refuse(part) : datePart(part, args)
}

function truncated([unit, value]: readonly Term[]): Term {
  const name = String(unit?.literal ?? '').toLowerCase()
  const term = given(value)
  if (!UNITS.includes(name)) return refuse('date_trunc')
  const time = cast(term, term.kind === 'timestamp_ntz' ? 'timestamp_ntz' : 'timestamp')
  return { sql: `date_trunc(${literal(name)}, ${time.sql})`, kind: time.kind }
}

function formatted([value, format]: readonly Term[]): Term {
  const pattern = FORMATS[String(format?.literal ?? '')]
  const term = given(value)
  if (pattern === undefined || !/^(date|timestamp|timestamp_ntz)$/.test(term.kind)) {
    return refuse('date_format')
  }
  const fault = literal('date_format is computed for the years 1000 to 9999')
  return {
    sql: `CASE WHEN ${term.sql} IS NULL THEN NULL WHEN year(${term.sql}) BETWEEN 1000 AND 9999 THEN strftime(${term.sql}, ${literal(pattern)}) ELSE error(${fault}) END`,
    kind: 'string'
  }
}

export function caseTerm(
  checks: readonly { readonly when: Term; readonly gives: Term }[],
  otherwise: Term
): Term {
  const results = unified([...checks.map(check => check.gives), otherwise])
  const whens = checks.map(({ when }, index) => {
    return `WHEN ${condition(when)} THEN ${results[index]?.sql}`
  })
  const kind = results.find(term => term.kind !== 'null') ?? given(results[0])
  const sql = `CASE ${whens.join(' ')} ELSE ${results.at(-1)?.sql} END`
  return { ...withoutLiteral(kind), sql }
}

export type { Kind }
