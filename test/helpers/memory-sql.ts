/**
 * The SQL that the Parquet engine for tests knows: columns, literals, comparisons, AND, OR, NOT, IS NULL,
 * IS TRUE, IN, sums and products, with SQL's three values.
 */
import { type CellValue, DeltaError } from '../../src/core/index.ts'
import { compareCells, type FilterParts, type FilterTerm } from '../../src/delta/index.ts'

export type Cells = Readonly<Record<string, CellValue>>

export type Expression =
  | { readonly kind: 'literal'; readonly value: CellValue }
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'not' | 'null' | 'true'; readonly of: Expression }
  | { readonly kind: 'in'; readonly of: Expression; readonly list: readonly Expression[] }
  | {
      readonly kind: 'binary'
      readonly operator: string
      readonly left: Expression
      readonly right: Expression
    }

const TOKEN =
  /\s*(?:('(?:[^']|'')*')|("(?:[^"]|"")*")|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|<>|!=|[=<>+*(),-]))/y

/** Rejects with `DELTA_QUERY_INVALID` what is not in the list above. */
export function parseSql(text: string): Expression {
  return new Parser(text).whole()
}

class Parser {
  readonly #text: string
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
    const pattern = new RegExp(TOKEN)
    for (pattern.lastIndex = 0; text.slice(pattern.lastIndex).trim() !== ''; ) {
      const match = pattern.exec(text)
      if (match === null) throw this.#invalid()
      this.#tokens.push(match[0].trim())
    }
  }

  whole(): Expression {
    const expression = this.#binary(0)
    if (this.#at < this.#tokens.length) throw this.#invalid()
    return expression
  }

  /** Loosest first. */
  #binary(level: number): Expression {
    const operators = [['or'], ['and'], [], ['+', '-'], ['*']][level]
    if (operators === undefined) return this.#unary()
    if (level === 2) return this.#comparison()
    let left = this.#binary(level + 1)
    for (let operator = this.#any(operators); operator !== undefined; ) {
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) }
      operator = this.#any(operators)
    }
    return left
  }

  #comparison(): Expression {
    if (this.#any(['not']) !== undefined) return { kind: 'not', of: this.#comparison() }
    const left = this.#binary(3)
    const operator = this.#any(['=', '<>', '!=', '<=', '>=', '<', '>', 'is', 'in'])
    if (operator === undefined) return left
    if (operator === 'in') return { kind: 'in', of: left, list: this.#list() }
    if (operator !== 'is') return { kind: 'binary', operator, left, right: this.#binary(3) }
    const negated = this.#any(['not']) !== undefined
    const kind = this.#any(['null', 'true'])
    if (kind !== 'null' && kind !== 'true') throw this.#invalid()
    return negated ? { kind: 'not', of: { kind, of: left } } : { kind, of: left }
  }

  #list(): Expression[] {
    this.#expect('(')
    const list = [this.#binary(0)]
    while (this.#any([',']) !== undefined) list.push(this.#binary(0))
    this.#expect(')')
    return list
  }

  #unary(): Expression {
    if (this.#any(['-']) !== undefined) {
      const left: Expression = { kind: 'literal', value: 0 }
      return { kind: 'binary', operator: '-', left, right: this.#unary() }
    }
    if (this.#any(['(']) !== undefined) {
      const inner = this.#binary(0)
      this.#expect(')')
      return inner
    }
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw this.#invalid()
    if (token.startsWith("'")) {
      return { kind: 'literal', value: token.slice(1, -1).replaceAll("''", "'") }
    }
    if (token.startsWith('"')) {
      return { kind: 'column', name: token.slice(1, -1).replaceAll('""', '"') }
    }
    if (/^\d+$/.test(token)) return { kind: 'literal', value: whole(BigInt(token)) }
    if (/^\d/.test(token)) return { kind: 'literal', value: Number(token) }
    const word = token.toLowerCase()
    if (word === 'null') return { kind: 'literal', value: null }
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' }
    if (/^[a-z_]/.test(word)) return { kind: 'column', name: token }
    throw this.#invalid()
  }

  #any(wanted: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at]?.toLowerCase()
    if (token === undefined || !wanted.includes(token)) return undefined
    this.#at++
    return token
  }

  #expect(token: string): void {
    if (this.#any([token]) === undefined) throw this.#invalid()
  }

  #invalid(): DeltaError {
    return new DeltaError('DELTA_QUERY_INVALID', `The SQL is not valid here: ${this.#text}`)
  }
}

/** The value for one row. Null where SQL knows none. */
export function evaluated(expression: Expression, row: Cells): CellValue {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'column':
      return cellOf(expression.name, row)
    case 'null':
      return evaluated(expression.of, row) === null
    case 'true':
      return evaluated(expression.of, row) === true
    case 'not': {
      const value = evaluated(expression.of, row)
      return value === null ? null : value !== true
    }
    case 'in': {
      const same = expression.list.map(one => compared('=', expression.of, one, row))
      return same.includes(true) ? true : same.includes(null) ? null : false
    }
    case 'binary':
      return binary(expression.operator, expression.left, expression.right, row)
  }
}

export function holds(expression: Expression, row: Cells): boolean {
  return evaluated(expression, row) === true
}

function cellOf(name: string, row: Cells): CellValue {
  const key = Object.keys(row).find(one => one.toLowerCase() === name.toLowerCase())
  if (key !== undefined) return row[key] ?? null
  throw new DeltaError('DELTA_QUERY_INVALID', `The SQL names no column of the table: ${name}`)
}

function binary(operator: string, left: Expression, right: Expression, row: Cells): CellValue {
  if (operator === 'and' || operator === 'or') {
    const decisive = operator === 'or'
    const values = [evaluated(left, row), evaluated(right, row)]
    return values.includes(decisive) ? decisive : values.includes(null) ? null : !decisive
  }
  if (!['+', '-', '*'].includes(operator)) return compared(operator, left, right, row)
  const [a, b] = [evaluated(left, row), evaluated(right, row)]
  if (a === null || b === null) return null
  if (isWhole(a) && isWhole(b)) return whole(computed(operator, BigInt(a), BigInt(b)) as bigint)
  return computed(operator, Number(a), Number(b))
}

function compared(
  operator: string,
  left: Expression,
  right: Expression,
  row: Cells
): boolean | null {
  const [a, b] = [evaluated(left, row), evaluated(right, row)]
  if (a === null || b === null) return null
  const order = compareCells(a, b)
  if (operator === '=') return order === 0
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  if (operator === '>') return order > 0
  return operator === '>=' ? order >= 0 : order !== 0
}

function computed<T extends number | bigint>(operator: string, a: T, b: T): CellValue {
  if (operator === '+') return (a as number) + (b as number)
  return operator === '-' ? (a as number) - (b as number) : (a as number) * (b as number)
}

const isWhole = (value: CellValue): value is number | bigint =>
  typeof value === 'bigint' || Number.isSafeInteger(value)
const whole = (value: bigint): CellValue =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value

const FLIPPED: Readonly<Record<string, FilterTerm['operator']>> = {
  '=': '=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<='
}

export function partsOf(expression: Expression): FilterParts {
  return { ...termsOf(expression), columns: [...new Set(columnsOf(expression))] }
}

function termsOf(expression: Expression): Pick<FilterParts, 'terms' | 'complete'> {
  if (expression.kind === 'in') {
    const { of, list } = expression
    const values = list.flatMap(one => (one.kind === 'literal' ? [one.value] : []))
    if (of.kind !== 'column' || values.length < list.length || values.includes(null)) return NOTHING
    return { terms: [{ column: of.name, operator: 'in', values }], complete: true }
  }
  if (expression.kind !== 'binary') return NOTHING
  const { operator, left, right } = expression
  if (operator === 'and') {
    const [a, b] = [termsOf(left), termsOf(right)]
    return { terms: [...a.terms, ...b.terms], complete: a.complete && b.complete }
  }
  const flipped = FLIPPED[operator]
  if (flipped === undefined) return NOTHING
  const [column, literal] = left.kind === 'column' ? [left, right] : [right, left]
  if (column.kind !== 'column' || literal.kind !== 'literal') return NOTHING
  if (literal.value === null || typeof literal.value === 'boolean') return NOTHING
  const direct = column === left ? (operator as FilterTerm['operator']) : flipped
  const term = { column: column.name, operator: direct, values: [literal.value] }
  return { terms: [term], complete: true }
}

const NOTHING = { terms: [], complete: false } as const

function columnsOf(expression: Expression): string[] {
  if (expression.kind === 'literal') return []
  if (expression.kind === 'column') return [expression.name]
  if (expression.kind === 'binary') {
    return [...columnsOf(expression.left), ...columnsOf(expression.right)]
  }
  const listed = expression.kind === 'in' ? expression.list.flatMap(columnsOf) : []
  return [...columnsOf(expression.of), ...listed]
}
