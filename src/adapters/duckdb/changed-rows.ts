/** Rows of files with columns set anew, by expressions over their former values: only SQL touches them. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { DeltaError } from '../../core/index.ts'
import {
  type Assignment,
  type ChangedGroup,
  type ChangedRows,
  type DataFile,
  type DataType,
  decimalOf,
  describeType,
  type EngineColumn,
  isNested
} from '../../delta/index.ts'
import { dropDeletedRows } from './deleted-rows.ts'
import { parsedExpression } from './filter-terms.ts'
import { type Parameters, parametersOf } from './parameters.ts'
import { hasPhysicalFields, physicalColumn } from './physical-schema.ts'
import { eachRow, PositionLists } from './position-lists.ts'
import { FILE, POSITION, relationOf, storedRows } from './relation.ts'
import { createRowTable } from './row-table.ts'
import { guarded } from './scan.ts'
import { identifier, sqlType } from './sql.ts'
import { outputCell, outputExpression } from './values.ts'

export interface ChangedRelation {
  readonly sql: string
  readonly parameters: Parameters
  drop(): Promise<void>
}

const VALUES = 'set_values'
const POSITIONS = 'changed_positions'

/** All columns of the rows after the change. Fills tables of the connection: one at a time. */
export async function changedRows(
  connection: DuckDBConnection,
  changes: ChangedRows
): Promise<ChangedRelation> {
  const names = changes.schema.map(column => column.name)
  return await changedRelation(connection, changes, changes.schema, names, [])
}

/** The columns of a new file, by their physical names. Fills tables of the connection: one at a time. */
export async function changedFileRows(
  connection: DuckDBConnection,
  changes: ChangedRows,
  columns: readonly EngineColumn[]
): Promise<ChangedRelation> {
  const set = new Set(changes.set.map(({ column }) => column))
  const names = columns.map(column => column.physicalName)
  // Expressions see the names of the table, a file gets others: such values are read in both forms.
  const inBoth = columns.filter(column => hasPhysicalFields(column) && !set.has(column.name))
  return await changedRelation(connection, changes, columns, names, inBoth)
}

async function changedRelation(
  connection: DuckDBConnection,
  changes: ChangedRows,
  columns: readonly EngineColumn[],
  names: readonly string[],
  inBoth: readonly EngineColumn[]
): Promise<ChangedRelation> {
  const { files, schema } = changes
  const stored = inBoth.map((column, index) => {
    return { ...physicalColumn(column), name: `__stored${index}` }
  })
  const read = [...schema, ...stored]
  const all = read.map(column => column.name)
  const relation = await relationOf(connection, files, read, all, POSITIONS)
  const storedAs = new Map(inBoth.map((column, index) => [column.name, `__stored${index}`]))
  return {
    sql: await changedSql(connection, changes, relation.sql, columns, names, storedAs),
    parameters: parametersOf(relation.parameters),
    drop: () => dropDeletedRows(connection, files, POSITIONS)
  }
}

/**
 * The given columns of stored rows after the change. `storedAs`: where the value of a column stands that is
 * not under its own name; `others`: columns of the rows that go along.
 */
async function changedSql(
  connection: DuckDBConnection,
  { schema, set, computed = new Map() }: ChangedRows,
  stored: string,
  columns: readonly EngineColumn[],
  names: readonly string[],
  storedAs: ReadonlyMap<string, string> = new Map(),
  others: readonly string[] = []
): Promise<string> {
  const expressionOf = await newValues(connection, schema, set)
  const select = (
    from: string,
    wanted: readonly EngineColumn[],
    named: readonly string[],
    along: readonly string[],
    sqlOf: (column: EngineColumn) => string
  ): string => {
    const values = wanted.map((column, index) => {
      return `${sqlOf(column)} AS ${identifier(named[index] ?? column.name)}`
    })
    return `SELECT ${[...values, ...along].join(', ')} FROM (${from})`
  }
  if (computed.size === 0) {
    return select(stored, columns, names, others, column => {
      return storedAs.get(column.name) ?? expressionOf(column)
    })
  }
  const all = schema.map(column => column.name)
  const along = [...others, ...storedAs.values()]
  const changed = select(stored, schema, all, along, expressionOf)
  return select(changed, columns, names, others, ({ name }) => {
    return computed.get(name) ?? storedAs.get(name) ?? identifier(name)
  })
}

/** SQL of the new value of each column. */
async function newValues(
  connection: DuckDBConnection,
  schema: readonly EngineColumn[],
  set: readonly Assignment[]
): Promise<(column: EngineColumn) => string> {
  const given = set.flatMap(({ column, to }) => {
    const found = 'value' in to ? schema.find(({ name }) => name === column) : undefined
    return found === undefined || !('value' in to) ? [] : [{ column: found, value: to.value }]
  })
  const row = Object.fromEntries(given.map(({ column, value }) => [column.name, value]))
  const columns = given.map(({ column }) => column)
  const table =
    given.length === 0 ? undefined : await createRowTable(connection, VALUES, columns, [row])
  return column => {
    const index = columns.findIndex(({ name }) => name === column.name)
    if (index >= 0) return `(SELECT ${table?.expressions[index]} FROM ${table?.source})`
    const to = set.find(assignment => assignment.column === column.name)?.to
    if (to === undefined || !('sql' in to)) return identifier(column.name)
    return `CAST((${to.sql}\n) AS ${sqlType(column.type)})`
  }
}

export async function checkAssignments(
  connection: DuckDBConnection,
  schema: readonly EngineColumn[],
  set: readonly Assignment[]
): Promise<void> {
  const nulls = schema.map(({ name, type }) => `NULL::${sqlType(type)} AS ${identifier(name)}`)
  for (const { column, to } of set) {
    if (!('sql' in to)) continue
    const what = `new value of ${column}`
    await parsedExpression(connection, to.sql, what)
    // A condition takes no aggregates and nothing that makes several rows of one.
    const reader = await guarded(what, () =>
      connection.runAndReadAll(
        `SELECT typeof((${to.sql}\n)) FROM (SELECT ${nulls.join(', ')}) WHERE (${to.sql}\n) IS NULL OR true`
      )
    )
    const given = String(reader.getColumns()[0]?.[0])
    const type = schema.find(({ name }) => name === column)?.type ?? ''
    if (isAssignable(given, type)) continue
    throw new DeltaError(
      'DELTA_QUERY_INVALID',
      `The ${what} is a ${given} and the column a ${describeType(type)}: cast it`
    )
  }
}

const WHOLE = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/
const NUMBER = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/

/** What loses nothing, or fails when it would. */
function isAssignable(given: string, type: DataType): boolean {
  if (given === '"NULL"') return true
  if (isNested(type)) return given === sqlType(type)
  if (/^(long|integer|short|byte)$/.test(type)) return WHOLE.test(given)
  if (type === 'double' || type === 'float') return WHOLE.test(given) || NUMBER.test(given)
  if (decimalOf(type) !== undefined) return WHOLE.test(given) || given.startsWith('DECIMAL')
  if (type === 'timestamp') return /^(TIMESTAMP( WITH TIME ZONE)?|DATE)$/.test(given)
  if (type === 'timestamp_ntz') return /^(TIMESTAMP|DATE)$/.test(given)
  return given === sqlType(type)
}

export async function groupChanges(
  connection: DuckDBConnection,
  changes: ChangedRows,
  names: readonly string[]
): Promise<ChangedGroup[]> {
  const { files, schema } = changes
  const columns = names.flatMap(name => schema.find(column => column.name === name) ?? [])
  const all = schema.map(column => column.name)
  const relation = await storedRows(connection, files, schema, all, true)
  const { values, types } = parametersOf(relation.parameters)
  const keys = columns.map((_, index) => `g${index}`)
  const places = [FILE, POSITION]
  const sql = await changedSql(connection, changes, relation.sql, columns, keys, new Map(), places)
  await guarded('new value of a column', () =>
    connection.run(
      `CREATE OR REPLACE TEMP TABLE changed_rows AS SELECT * FROM (${sql})`,
      values,
      types
    )
  )
  try {
    return await groupsOf(connection, files, columns)
  } finally {
    await connection.run('DROP TABLE IF EXISTS changed_rows; DROP TABLE IF EXISTS changed_groups')
  }
}

async function groupsOf(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  columns: readonly EngineColumn[]
): Promise<ChangedGroup[]> {
  const keys = columns.map((_, index) => `g${index}`)
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE changed_groups AS SELECT row_number() OVER () - 1 AS g, *
     FROM (SELECT DISTINCT ${keys.join(', ')} FROM changed_rows)`
  )
  const cells = columns.map((column, index) => outputExpression(`g${index}`, column.type))
  const reader = await connection.runAndReadAll(
    `SELECT ${cells.join(', ')} FROM changed_groups ORDER BY g`
  )
  const groups = reader.getRows().map(row => {
    const entries = columns.map((column, index) => {
      return [column.name, outputCell(row[index] ?? null, column.type)] as const
    })
    return { values: Object.fromEntries(entries), positions: new PositionLists(files) }
  })
  const on = keys.map(key => `r.${key} IS NOT DISTINCT FROM x.${key}`)
  const result = await connection.stream(
    `SELECT ${FILE}::UINTEGER, ${POSITION}::UINTEGER, g::UINTEGER FROM changed_rows r
     JOIN changed_groups x ON ${on.join(' AND ')}`
  )
  await eachRow(result, (file, position, group) => groups[group]?.positions.add(file, position))
  return groups
    .map(({ values, positions }) => ({ values, positions: positions.ascending() }))
    .filter(({ positions }) => positions.some(list => list.length > 0))
}

export async function countViolations(
  connection: DuckDBConnection,
  changes: ChangedRows,
  checks: readonly string[]
): Promise<number[]> {
  const changed = await changedRows(connection, changes)
  const { values, types } = changed.parameters
  const counts = checks.map(check => `count(*) FILTER (WHERE (${check}\n) IS NOT TRUE)`)
  try {
    const reader = await guarded('new value of a column', () =>
      connection.runAndReadAll(`SELECT ${counts.join(', ')} FROM (${changed.sql})`, values, types)
    )
    return (reader.getRows()[0] ?? []).map(Number)
  } finally {
    await changed.drop()
  }
}
