/**
 * The rows that an update changes, by the partition that they go to. A part stays the same object through
 * every attempt to commit while the same rows of its file are found; that is how a later attempt knows
 * which of the files written before are still right.
 */
import { DeltaError } from '../../core/index.ts'
import { withChanges } from '../file-writer.ts'
import type { Snapshot } from '../log-state.ts'
import { partitionKey, serialisePartitionValue } from '../partition-values.ts'
import { physicalName, type SchemaField } from '../schema.ts'
import type { TableLog } from '../table-log.ts'
import type { NewValues } from './assignments.ts'
import { type FoundRows, sameRows } from './finder.ts'
import type { ChangedPart } from './plan.ts'

interface Known {
  readonly found: FoundRows
  readonly parts: readonly ChangedPart[]
}

export class ChangedParts {
  readonly #log: TableLog
  readonly #values: NewValues
  readonly #byPath = new Map<string, Known>()

  constructor(log: TableLog, change: NewValues) {
    this.#log = log
    this.#values = change
  }

  async of(snapshot: Snapshot, found: readonly FoundRows[]): Promise<ChangedPart[]> {
    const unknown = found.filter(rows => !sameRows(this.#byPath.get(rows.add.path)?.found, rows))
    if (unknown.length > 0) await this.#divide(snapshot, unknown)
    return found.flatMap(rows => this.#byPath.get(rows.add.path)?.parts ?? [])
  }

  async #divide(snapshot: Snapshot, found: readonly FoundRows[]): Promise<void> {
    const { partitionColumns } = snapshot.metadata
    const { set, computed: derived } = this.#values
    const moved = set.filter(({ column }) => partitionColumns.includes(column))
    const fields = new Map(snapshot.fields.map(field => [field.name, field]))
    const fixed: Record<string, string | null> = {}
    for (const { column, to } of moved) {
      const field = fields.get(column)
      if (field !== undefined && 'value' in to) {
        fixed[physicalName(field)] = serialisePartitionValue(to.value, field.type)
      }
    }
    const expressions = moved.flatMap(({ column, to }) => ('sql' in to ? [column] : []))
    for (const name of derived.keys()) if (partitionColumns.includes(name)) expressions.push(name)
    const computed = expressions.flatMap(name => fields.get(name) ?? [])
    if (computed.length > 0) await this.#group(snapshot, found, fixed, computed)
    else {
      for (const rows of found) {
        const { add, positions } = rows
        const partitionValues = { ...add.partitionValues, ...fixed }
        this.#byPath.set(add.path, { found: rows, parts: [{ add, partitionValues, positions }] })
      }
    }
  }

  /** Where the new values of partition columns depend on the rows, the engine says which go where. */
  async #group(
    snapshot: Snapshot,
    found: readonly FoundRows[],
    fixed: Readonly<Record<string, string | null>>,
    computed: readonly SchemaField[]
  ): Promise<void> {
    const changes = { inputs: found, ...this.#values }
    const names = computed.map(field => field.name)
    const groups = await withChanges(this.#log, snapshot, changes, rows =>
      this.#log.ports.engine.groupChanges(rows, names)
    )
    const byFile = found.map(() => new Map<string, ChangedPart[]>())
    for (const { values, positions } of groups) {
      const moved: Record<string, string | null> = {}
      for (const field of computed) {
        moved[physicalName(field)] = serialisePartitionValue(values[field.name] ?? null, field.type)
      }
      for (const [index, { add }] of found.entries()) {
        const rows = positions[index] ?? new Uint32Array(0)
        if (rows.length === 0) continue
        const partitionValues = { ...add.partitionValues, ...fixed, ...moved }
        const key = partitionKey(partitionValues)
        const parts = byFile[index]?.get(key) ?? []
        byFile[index]?.set(key, [...parts, { add, partitionValues, positions: rows }])
      }
    }
    found.forEach((rows, index) => {
      const parts = [...(byFile[index]?.values() ?? [])].flat()
      this.#assertWhole(rows, parts)
      this.#byPath.set(rows.add.path, { found: rows, parts })
    })
  }

  /** A row that went nowhere would be lost. */
  #assertWhole({ add, positions }: FoundRows, parts: readonly ChangedPart[]): void {
    if (positions === 'all') return
    const rows = parts.reduce((sum, part) => sum + part.positions.length, 0)
    if (rows === positions.length) return
    throw new DeltaError(
      'DELTA_DATA_CORRUPT',
      `${this.#log.where}: of ${positions.length} rows of ${add.path} to be changed ${rows} were found again`
    )
  }
}
