/**
 * One generated table: its definition and history come from a seed, and beside the table a map of rows by
 * key says what each version must hold.
 */
import { type ColumnSpec, DeltaTable, type InputValue } from '../../../src/delta/index.ts'
import type { Cell } from '../../helpers/canonical.ts'
import type { TestDelta } from '../../helpers/delta.ts'
import type { JudgeName } from '../../helpers/judges.ts'
import type { Feature } from './features.ts'
import { boundedColumns } from './layout.ts'
import { Random } from './random.ts'
import { type ColumnRule, ruledColumns, someConstraints } from './rules.ts'
import type { Supported } from './supported.ts'
import type { ColumnKind } from './types.ts'

export type ModelRow = Record<string, InputValue>

export interface Column {
  readonly name: string
  readonly kind: ColumnKind
  readonly nullable: boolean
  readonly partition: boolean
  /** Where the value comes from when a new row does not give it. */
  readonly rule?: ColumnRule
}

export interface VersionModel {
  readonly columns: readonly Column[]
  readonly rows: readonly ModelRow[]
}

export class GeneratedTable {
  readonly random: Random
  readonly features: readonly Feature[]
  readonly columns: Column[]
  readonly keys: readonly string[]
  /** At creation. */
  readonly clusterBy: readonly string[]
  readonly constraints: Readonly<Record<string, string>>
  readonly delta: TestDelta
  readonly path: string
  table!: DeltaTable
  /** What was done, for messages. */
  readonly steps: string[] = []
  /** Steps that our engine does not do with such a table. */
  readonly refused: string[] = []
  /** Rows of each version that can still be read. */
  readonly versions = new Map<number, VersionModel>()
  rows = new Map<string, ModelRow>()
  readonly #supported: Supported
  #made = 0
  #added = 0

  constructor(seed: number, delta: TestDelta, supported: Supported) {
    this.random = new Random(seed)
    this.delta = delta
    this.path = `table-${seed}`
    this.#supported = supported
    this.features = this.#someFeatures()
    this.keys = this.random.pick([['id'], ['id'], ['id', this.#named('part of key')]])
    this.columns = this.#someColumns()
    const id = this.columns[0] as Column
    this.columns.push(...ruledColumns(this.random, id, this.#supported.kinds))
    this.constraints = someConstraints(this.random)
    const partitioned = this.columns.some(column => column.partition)
    const clustered = !partitioned && this.random.chance(0.25)
    this.clusterBy = clustered
      ? this.random.some(boundedColumns(this.columns), 3).map(({ name }) => name)
      : []
  }

  get blind(): ReadonlySet<JudgeName> {
    const names = new Set(this.features.flatMap(feature => feature.blind ?? []))
    if (this.mapped && this.columns.some(column => column.partition)) names.add('duckdb')
    return names
  }

  get description(): string {
    const columns = this.columns.map(
      ({ name, kind, nullable, partition }) =>
        `${JSON.stringify(name)} ${typeText(kind.type)}${nullable ? '' : ' not null'}${partition ? ' partition' : ''}`
    )
    const features = this.features.map(feature => feature.name).join(', ')
    const clustered =
      this.clusterBy.length === 0 ? '' : ` clustered by ${this.clusterBy.join(', ')}`
    return `${this.path} (${columns.join(', ')})${clustered} [${features}]: ${this.steps.join('; ')}`
  }

  async create(): Promise<void> {
    const spec = {
      columns: this.columns.map(specOf),
      partitionBy: this.columns.filter(column => column.partition).map(column => column.name),
      properties: Object.assign({}, ...this.features.map(feature => feature.properties)),
      constraints: this.constraints,
      clusterBy: this.clusterBy
    }
    const { ports, options } = this.delta
    this.table = await DeltaTable.openOrCreate(this.path, spec, ports, options)
    await this.recorded('create')
  }

  async reopen(): Promise<void> {
    await this.table.close()
    this.table = await DeltaTable.open(this.path, this.delta.ports, this.delta.options)
  }

  /** Notes a step and what the version that it made must hold. */
  async recorded(step: string): Promise<void> {
    const { version } = await this.table.snapshot()
    this.steps.push(`${version}: ${step}`)
    this.versions.set(version, { columns: [...this.columns], rows: [...this.rows.values()] })
  }

  addColumn(): Column {
    const column = this.#column(this.#named(`added ${this.#added++}`), true, false)
    this.columns.push(column)
    return column
  }

  get mapped(): boolean {
    return this.features.some(feature => feature.name.startsWith('columnMapping'))
  }

  /** A column that nothing in the table is made by, under another name; undefined when there is none. */
  renameColumn(): { from: string; to: string } | undefined {
    const column = this.#someColumn()
    if (column === undefined) return undefined
    const to = `renamed (${this.#added++})`
    this.columns[this.columns.indexOf(column)] = { ...column, name: to }
    this.#changeRows(({ [column.name]: value = null, ...row }) => ({ ...row, [to]: value }))
    return { from: column.name, to }
  }

  /** A column that is taken out, by its name. */
  dropColumn(): string | undefined {
    const column = this.#someColumn()
    if (column === undefined || column.partition) return undefined
    this.columns.splice(this.columns.indexOf(column), 1)
    this.#changeRows(({ [column.name]: _, ...row }) => row)
    return column.name
  }

  #someColumn(): Column | undefined {
    const used = [...this.keys, ...this.clusterBy]
    const others = this.columns.filter(({ name }) => !used.includes(name))
    return others.length === 0 ? undefined : this.random.pick(others)
  }

  #changeRows(change: (row: ModelRow) => ModelRow): void {
    this.rows = new Map([...this.rows].map(([key, row]) => [key, change(row)]))
  }

  /** Without mapping, names have no blanks or brackets. */
  #named(name: string): string {
    return this.mapped ? name : name.replaceAll(/[ ()]/g, '_')
  }

  freshRow(): ModelRow {
    const row: ModelRow = {}
    for (const column of this.columns) {
      if (column.rule === undefined || this.#givesDespite(column.rule)) {
        row[column.name] = this.value(column)
      }
    }
    this.#made++
    const key = this.columns.find(column => column.name === 'id') as Column
    row['id'] = key.kind.type === 'string' ? `key ${this.#made} ü` : this.#made * 7
    return row
  }

  /** Some columns of a row that is there, or a fresh row. */
  changedRow(): ModelRow {
    if (this.rows.size === 0 || this.random.chance(0.3)) return this.freshRow()
    const stored = this.random.pick([...this.rows.values()])
    const changed: ModelRow = {}
    for (const column of this.columns) {
      const { name } = column
      if (this.keys.includes(name)) changed[name] = stored[name] ?? null
      else if (column.rule?.computed !== undefined) continue
      else if (!column.nullable || this.random.chance(0.6)) changed[name] = this.value(column)
    }
    return changed
  }

  #givesDespite(rule: ColumnRule): boolean {
    return rule.computed === undefined && this.random.chance(0.5)
  }

  value(column: Column): InputValue {
    if (column.nullable && this.random.chance(0.2)) return null
    const { kind, partition } = column
    if (partition && kind.partitionValue !== undefined) return kind.partitionValue(this.random)
    return kind.value(this.random)
  }

  keyOf(row: ModelRow): string {
    return JSON.stringify(this.keys.map(name => String(row[name])))
  }

  store(row: ModelRow): void {
    const full: ModelRow = {}
    for (const { name, rule } of this.columns) {
      full[name] = name in row ? (row[name] ?? null) : (rule?.fallback ?? null)
      if (rule?.computed !== undefined) full[name] = rule.computed(row)
    }
    this.rows.set(this.keyOf(row), full)
  }

  /** What a version must hold, in the canonical form; columns that came later are not in it. */
  canonical({ columns: all, rows }: VersionModel, names: readonly string[]): Cell[] {
    const columns = names.map(name => all.find(column => column.name === name) as Column)
    return rows.map(row =>
      columns.map(({ name, kind }) => {
        const value = row[name] ?? null
        return value === null ? null : kind.canonical(value)
      })
    )
  }

  #someFeatures(): Feature[] {
    const chosen = this.random.some(this.#supported.features, 3)
    return chosen.filter(
      (feature, index) =>
        !chosen.slice(0, index).some(other => other.not?.includes(feature.name) === true)
    )
  }

  #someColumns(): Column[] {
    const id = this.#supported.kinds.filter(({ type }) => type === 'string' || type === 'long')
    const partitions = this.random.chance(0.5) ? 0 : this.random.int(1, 2)
    const columns = [
      {
        name: 'id',
        kind: this.random.pick(id),
        nullable: this.random.chance(0.5),
        partition: false
      }
    ]
    if (this.keys.length > 1) {
      const [kind] = this.#supported.kinds.filter(({ type }) => type === 'integer')
      if (kind === undefined) throw new Error('integer is not supported')
      columns.push({
        name: this.keys[1] ?? '',
        kind,
        nullable: false,
        partition: this.random.chance(0.3)
      })
    }
    for (let index = this.random.int(2, 7); index > 0; index--) {
      const name = this.random.pick(['plain', 'With Case', 'ünï', 'a.b', 'sel"ect']) + index
      columns.push(this.#column(this.#named(name), this.random.chance(0.85), index <= partitions))
    }
    return columns
  }

  #column(name: string, nullable: boolean, partition: boolean): Column {
    const { kinds } = this.#supported
    const possible = partition ? kinds.filter(({ type }) => typeof type === 'string') : kinds
    return { name, kind: this.random.pick(possible), nullable, partition }
  }
}

export function typeText(type: ColumnSpec['type']): string {
  return typeof type === 'string' ? type : JSON.stringify(type)
}

export function specOf({ name, kind, nullable, rule }: Column): ColumnSpec {
  return { name, type: kind.type, nullable, ...rule?.spec }
}
