/**
 * Expressions that tables hold (check constraints, generated columns, defaults) were written for Spark. They
 * are parsed by DuckDB and made anew of the parts that both engines compute alike; anything else is refused,
 * so that no row is taken or left for a difference between them.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { DeltaError, parseJson } from '../../../core/index.ts'
import type { DataType, EngineColumn, Translated } from '../../../delta/index.ts'
import { identifier, literal } from '../sql.ts'
import { caseTerm, coalesceTerm, functionTerm } from './functions.ts'
import { NotPortable, portableText } from './lexical.ts'
import {
  alike,
  assigned,
  booleanTerm,
  cast,
  columnTerm,
  condition,
  type Decimal,
  findColumn,
  type Kind,
  nullTerm,
  type Term
} from './terms.ts'

interface Node {
  readonly class?: string
  readonly type?: string
  readonly function_name?: string
  readonly children?: readonly Node[]
  readonly left?: Node
  readonly right?: Node
  readonly input?: Node
  readonly lower?: Node
  readonly upper?: Node
  readonly child?: Node
  readonly try_cast?: boolean
  readonly column_names?: readonly string[]
  readonly cast_type?: TypeNode
  readonly case_checks?: readonly { readonly when_expr?: Node; readonly then_expr?: Node }[]
  readonly else_expr?: Node
  readonly value?: {
    readonly type?: TypeNode
    readonly is_null?: boolean
    readonly value?: unknown
  }
}

interface TypeNode {
  readonly id?: string
  readonly type_info?: { readonly width?: number; readonly scale?: number } | null
}

const KINDS: Readonly<Record<string, Kind>> = {
  BOOLEAN: 'boolean',
  VARCHAR: 'string',
  TINYINT: 'byte',
  SMALLINT: 'short',
  INTEGER: 'integer',
  BIGINT: 'long',
  FLOAT: 'float',
  DOUBLE: 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp'
}
const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM',
  COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM'
}

/**
 * SQL for DuckDB that gives values of the type. Rejects with `DELTA_UNSUPPORTED` what is not sure to mean the
 * same to Spark.
 */
export async function translated(
  connection: DuckDBConnection,
  expression: string,
  schema: readonly EngineColumn[],
  type: DataType
): Promise<Translated> {
  try {
    const names = schema.map(column => column.name)
    const root = await parsed(connection, portableText(expression, names))
    const used = new Set<string>()
    const term = termOf(root, name => {
      const found = findColumn(schema, name)
      if (found !== undefined) used.add(found.column)
      return found?.type
    })
    const sql = type === 'boolean' ? condition(term) : assigned(term, type)
    return { sql, columns: [...used] }
  } catch (error) {
    if (!(error instanceof NotPortable)) throw error
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `The expression ${expression} is not evaluated by this engine, because ${error.message}`
    )
  }
}

async function parsed(connection: DuckDBConnection, text: string): Promise<Node> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($sql::VARCHAR)', {
    sql: `SELECT (${text})`
  })
  const { error, error_message, statements } = parseJson(
    String(reader.getColumns()[0]?.[0] ?? '{}')
  ) as {
    error?: boolean
    error_message?: string
    statements?: { node?: Record<string, unknown> }[]
  }
  const node = statements?.[0]?.node
  const list = node?.['select_list'] as Node[] | undefined
  const [root] = list ?? []
  const single =
    error !== true &&
    statements?.length === 1 &&
    node?.['type'] === 'SELECT_NODE' &&
    list?.length === 1 &&
    (node['from_table'] as { type?: string } | null)?.type === 'EMPTY' &&
    node['where_clause'] === null &&
    node['having'] === null &&
    node['qualify'] === null &&
    node['sample'] === null &&
    (node['modifiers'] as unknown[] | undefined)?.length === 0 &&
    (node['group_expressions'] as unknown[] | undefined)?.length === 0
  if (single && root !== undefined) return root
  throw new NotPortable(error_message ?? 'it is not one expression')
}

/** The type of a column or of a field of a struct; undefined when there is none. */
type TypeOf = (names: readonly string[]) => DataType | undefined

function termOf(node: Node | undefined, typeOf: TypeOf): Term {
  const of = (inner: Node | undefined): Term => termOf(inner, typeOf)
  const children = (): Term[] => (node?.children ?? []).map(of)
  switch (node?.class) {
    case 'CONSTANT':
      return constantTerm(node)
    case 'COLUMN_REF':
      return columnOf(node.column_names ?? [], typeOf)
    case 'COMPARISON':
      return comparison(COMPARISONS[node.type ?? ''], of(node.left), of(node.right))
    case 'CONJUNCTION': {
      const word = node.type === 'CONJUNCTION_AND' ? ' AND ' : ' OR '
      return booleanTerm(children().map(condition).join(word))
    }
    case 'BETWEEN': {
      const low = comparison('>=', of(node.input), of(node.lower))
      return booleanTerm(`${low.sql} AND ${comparison('<=', of(node.input), of(node.upper)).sql}`)
    }
    case 'CASE':
      return caseTerm(
        (node.case_checks ?? []).map(check => ({
          when: of(check.when_expr),
          gives: of(check.then_expr)
        })),
        of(node.else_expr)
      )
    case 'CAST':
      return castOf(of(node.child), node)
    case 'FUNCTION':
      return functionTerm(node.function_name?.toLowerCase() ?? '', children())
    case 'OPERATOR':
      return operatorTerm(node.type ?? '', children())
    default:
      throw new NotPortable(`of ${node?.class ?? 'nothing'} in it`)
  }
}

function operatorTerm(type: string, terms: readonly Term[]): Term {
  const [first = nullTerm, ...rest] = terms
  switch (type) {
    case 'OPERATOR_NOT':
      return booleanTerm(`NOT ${condition(first)}`)
    case 'OPERATOR_IS_NULL':
      return booleanTerm(`${first.sql} IS NULL`)
    case 'OPERATOR_IS_NOT_NULL':
      return booleanTerm(`${first.sql} IS NOT NULL`)
    case 'OPERATOR_COALESCE':
      return coalesceTerm(terms)
    case 'COMPARE_IN':
      return membership(first, rest)
    case 'COMPARE_NOT_IN':
      return booleanTerm(`NOT ${membership(first, rest).sql}`)
    default:
      throw new NotPortable(`of ${type} in it`)
  }
}

function membership(value: Term, list: readonly Term[]): Term {
  return booleanTerm(list.map(one => comparison('=', value, one).sql).join(' OR '))
}

function comparison(operator: string | undefined, left: Term, right: Term): Term {
  if (operator === undefined) throw new NotPortable('it compares in another way')
  const [a, b] = alike(left, right)
  return booleanTerm(`${a.sql} ${operator} ${b.sql}`)
}

function columnOf(names: readonly string[], typeOf: TypeOf): Term {
  const type = typeOf(names)
  if (type === undefined) throw new NotPortable(`the table has no column ${names.join('.')}`)
  return columnTerm(names.map(identifier).join('.'), type)
}

function castOf(term: Term, { cast_type, try_cast }: Node): Term {
  if (try_cast === true) throw new NotPortable('of TRY_CAST in it')
  const kind = KINDS[cast_type?.id ?? '']
  if (kind !== undefined) return cast(term, kind)
  const info = cast_type?.id === 'DECIMAL' ? cast_type.type_info : undefined
  if (info?.width === undefined) throw new NotPortable('it casts to a type that differs')
  return cast(term, 'decimal', { precision: info.width, scale: info.scale ?? 0 })
}

function constantTerm({ value }: Node): Term {
  if (value?.is_null === true) return nullTerm
  const id = value?.type?.id ?? ''
  const given = value?.value
  if (id === 'VARCHAR' && typeof given === 'string') {
    return { sql: literal(given), kind: 'string', literal: given }
  }
  if (id === 'BOOLEAN' && typeof given === 'boolean') return booleanTerm(String(given))
  if (typeof given !== 'number' && typeof given !== 'bigint') {
    throw new NotPortable('a number in it is too large')
  }
  if (id === 'INTEGER') return { sql: `CAST(${given} AS INTEGER)`, kind: 'integer', literal: given }
  if (id === 'BIGINT') return { sql: `CAST(${given} AS BIGINT)`, kind: 'long', literal: given }
  if (id === 'DOUBLE') {
    return { sql: `CAST('${given}' AS DOUBLE)`, kind: 'double', literal: Number(given) }
  }
  const info = value?.type?.type_info
  if (id === 'DECIMAL' && info?.width !== undefined) {
    const decimal = { precision: info.width, scale: info.scale ?? 0 }
    return decimalLiteral(BigInt(given), decimal)
  }
  throw new NotPortable(`of a ${id} in it`)
}

function decimalLiteral(unscaled: bigint, decimal: Decimal): Term {
  const { precision, scale } = decimal
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const at = digits.length - scale
  const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, at)}${scale === 0 ? '' : `.${digits.slice(at)}`}`
  return {
    sql: `CAST('${text}' AS DECIMAL(${precision},${scale}))`,
    kind: 'decimal',
    decimal,
    literal: text
  }
}
