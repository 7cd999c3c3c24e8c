/**
 * Takes a filter apart with DuckDB's own parser: makes sure that it is one expression without
 * subqueries, and finds the conjuncts that file statistics can answer.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { type CellValue, DeltaError } from '../../core/index.ts'
import type { FilterParts, FilterTerm } from '../../delta/index.ts'
import { queryProblem } from './query-problems.ts'

export interface Node {
  readonly class?: string
  readonly type?: unknown
  readonly children?: readonly Node[]
  readonly left?: Node
  readonly right?: Node
  readonly input?: Node
  readonly lower?: Node
  readonly upper?: Node
  readonly child?: Node
  readonly column_names?: readonly string[]
  readonly function_name?: string
  readonly cast_type?: { readonly id?: string }
  readonly value?: {
    readonly type?: { readonly id?: string }
    readonly is_null?: boolean
    readonly value?: unknown
  }
}

interface Constant {
  readonly value: CellValue
  readonly cast?: 'date' | 'timestamp'
}

const OPERATORS: Readonly<
  Record<string, readonly [FilterTerm['operator'], FilterTerm['operator']]>
> = {
  COMPARE_EQUAL: ['=', '='],
  COMPARE_LESSTHAN: ['<', '>'],
  COMPARE_LESSTHANOREQUALTO: ['<=', '>='],
  COMPARE_GREATERTHAN: ['>', '<'],
  COMPARE_GREATERTHANOREQUALTO: ['>=', '<=']
}

export async function filterParts(
  connection: DuckDBConnection,
  where: string
): Promise<FilterParts> {
  const root = await parsedExpression(connection, where, 'filter')
  return { ...termsOf(root), columns: columnsOf([...nodesOf(root)]) }
}

/** Rejects SQL that is not one expression without subqueries and parameters. `what` it is, for people. */
export async function parsedExpression(
  connection: DuckDBConnection,
  sql: string,
  what: string
): Promise<Node> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($sql::VARCHAR)', {
    sql: `SELECT 1 FROM t WHERE (${sql}\n)`
  })
  const parsed = JSON.parse(String(reader.getColumns()[0]?.[0] ?? '{}')) as {
    error?: boolean
    error_message?: string
    statements?: { node?: Record<string, unknown> }[]
  }
  const node = parsed.statements?.[0]?.node
  const root = node?.['where_clause'] as Node | undefined
  const single =
    parsed.error !== true &&
    parsed.statements?.length === 1 &&
    node?.['type'] === 'SELECT_NODE' &&
    (node['modifiers'] as unknown[] | undefined)?.length === 0 &&
    (node['group_expressions'] as unknown[] | undefined)?.length === 0 &&
    node['having'] === null &&
    node['qualify'] === null &&
    node['sample'] === null &&
    root !== undefined &&
    [...nodesOf(root)].every(({ class: kind }) => kind !== 'PARAMETER' && kind !== 'SUBQUERY')
  if (single) return root
  const said = parsed.error_message
  const why =
    said === undefined ? 'it is not one expression without subqueries' : queryProblem(said)
  throw new DeltaError('DELTA_QUERY_INVALID', `The ${what} is not valid: ${why}`)
}

/** Everything below a node that is itself a node, whatever field it is in. */
function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return
  if ('class' in value) yield value as Node
  for (const inner of Object.values(value)) yield* nodesOf(inner)
}

/** What gives another answer each time cannot be told from the columns that it names: of none. */
const FICKLE = new Set(
  (
    'random uuid uuidv4 uuidv7 gen_random_uuid setseed nextval currval error sleep_ms write_log stats ' +
    'current_query current_query_id current_transaction_id current_connection_id txid_current'
  ).split(' ')
)

/** Of a name with dots the first part: a struct's, or what is no column of the table at all. */
function columnsOf(nodes: readonly Node[]): string[] | undefined {
  const hidden = new Set(['STAR', 'POSITIONAL_REFERENCE', 'LAMBDA'])
  if (nodes.some(node => hidden.has(node.class ?? ''))) return undefined
  if (nodes.some(node => FICKLE.has(node.function_name?.toLowerCase() ?? ''))) return undefined
  const names = nodes.flatMap(node => {
    return node.class === 'COLUMN_REF' ? (node.column_names?.[0] ?? []) : []
  })
  return [...new Set(names)]
}

type Terms = Pick<FilterParts, 'terms' | 'complete'>

function termsOf(node: Node): Terms {
  if (node.type === 'CONJUNCTION_AND') return united((node.children ?? []).map(termsOf))
  if (node.type === 'COMPARE_BETWEEN') {
    return united([
      oneOf(comparison(node.input, node.lower, '>=')),
      oneOf(comparison(node.input, node.upper, '<='))
    ])
  }
  if (node.type === 'COMPARE_IN') return oneOf(membership(node.children ?? []))
  const operators = OPERATORS[String(node.type)]
  if (operators === undefined) return oneOf([])
  return oneOf([
    ...comparison(node.left, node.right, operators[0]),
    ...comparison(node.right, node.left, operators[1])
  ])
}

function oneOf(terms: readonly FilterTerm[]): Terms {
  return { terms, complete: terms.length > 0 }
}

function united(parts: readonly Terms[]): Terms {
  return {
    terms: parts.flatMap(part => part.terms),
    complete: parts.every(part => part.complete)
  }
}

function comparison(
  column: Node | undefined,
  constant: Node | undefined,
  operator: FilterTerm['operator']
): FilterTerm[] {
  const name = columnName(column)
  const found = constantOf(constant)
  if (name === undefined || found === undefined) return []
  return [{ column: name, operator, values: [found.value], ...castOf(found) }]
}

function membership(children: readonly Node[]): FilterTerm[] {
  const [column, ...constants] = children
  const name = columnName(column)
  const found = constants.map(constantOf)
  if (name === undefined || found.some(constant => constant === undefined)) return []
  if (found.some(constant => constant?.cast !== undefined)) return []
  return [{ column: name, operator: 'in', values: found.map(constant => constant?.value ?? null) }]
}

function castOf(constant: Constant): { valueType?: 'date' | 'timestamp' } {
  return constant.cast === undefined ? {} : { valueType: constant.cast }
}

function columnName(node: Node | undefined): string | undefined {
  return node?.class === 'COLUMN_REF' && node.column_names?.length === 1
    ? node.column_names[0]
    : undefined
}

function constantOf(node: Node | undefined): Constant | undefined {
  if (node?.class === 'CAST') {
    const inner = constantOf(node.child)
    const id = node.cast_type?.id
    if (typeof inner?.value !== 'string' || inner.cast !== undefined) return undefined
    if (id === 'DATE') return { value: inner.value, cast: 'date' }
    return id === 'TIMESTAMP' || id === 'TIMESTAMP WITH TIME ZONE'
      ? { value: inner.value, cast: 'timestamp' }
      : undefined
  }
  if (node?.class !== 'CONSTANT' || node.value?.is_null !== false) return undefined
  const { value, type } = node.value
  if (type?.id === 'VARCHAR' && typeof value === 'string') return { value }
  const whole = type?.id === 'INTEGER' || type?.id === 'BIGINT'
  return whole && Number.isSafeInteger(value) ? { value: value as number } : undefined
}
