/**
 * Where the keys of a batch are stored. Each data file is searched at most once, whatever the number of
 * attempts: files never change, so after a conflict only the files of the winner are new.
 */
import type { AddAction } from '../actions.ts'
import type { DataFiles, Lease } from '../data-files.ts'
import { mayHoldKeys, type WantedValues, wantedValues } from '../data-skipping.ts'
import type { Snapshot } from '../log-state.ts'
import type { EngineColumn, Match, ParquetEngine } from '../parquet-engine.ts'
import type { MergeRules } from '../row-policies.ts'
import { engineColumns, objectPath } from '../table-files.ts'
import type { SourceGroup } from './source.ts'

export interface StoredMatch {
  readonly group: SourceGroup
  readonly add: AddAction
  readonly match: Match
}

export class Locator {
  readonly #engine: ParquetEngine
  readonly #data: DataFiles
  readonly #table: string
  readonly #rules: MergeRules
  readonly #groups: readonly SourceGroup[]
  readonly #byFile = new Map<string, readonly StoredMatch[]>()
  #wanted: readonly WantedValues[] | undefined

  constructor(
    ports: { readonly engine: ParquetEngine; readonly data: DataFiles },
    table: string,
    rules: MergeRules,
    groups: readonly SourceGroup[]
  ) {
    this.#engine = ports.engine
    this.#data = ports.data
    this.#table = table
    this.#rules = rules
    this.#groups = groups
  }

  /** Stored rows of the snapshot that have a key of the batch. */
  async find(snapshot: Snapshot): Promise<StoredMatch[]> {
    this.#wanted ??= this.#wantedKeys(snapshot)
    const wanted = this.#wanted
    const unseen: AddAction[] = []
    for (const [path, add] of snapshot.files) {
      if (this.#byFile.has(path)) continue
      this.#byFile.set(path, [])
      if (mayHoldKeys(add, wanted)) unseen.push(add)
    }
    if (unseen.length > 0) await this.#search(snapshot, unseen)
    const found: StoredMatch[] = []
    for (const path of snapshot.files.keys()) found.push(...(this.#byFile.get(path) ?? []))
    return found
  }

  async #search(snapshot: Snapshot, unseen: readonly AddAction[]): Promise<void> {
    const columns = engineColumns(snapshot)
    const keys = columns.filter(column => this.#rules.keys.includes(column.name))
    const wantedColumns: EngineColumn[] = this.#rules.insertOnly === true ? [] : columns
    const where = this.#engine
    const leases: Lease[] = []
    try {
      for (const add of unseen) leases.push(await this.#data.lease(objectPath(this.#table, add)))
      const matches = await where.match({
        files: unseen.map((add, index) => ({
          localPath: leases[index]?.localPath ?? '',
          size: add.size,
          partitionValues: add.partitionValues
        })),
        keys,
        rows: this.#groups.map(group => group.key),
        columns: wantedColumns
      })
      this.#keep(unseen, matches)
    } catch (error) {
      for (const add of unseen) this.#byFile.delete(add.path)
      throw error
    } finally {
      for (const lease of leases) lease.release()
    }
  }

  #keep(files: readonly AddAction[], matches: readonly Match[]): void {
    const byFile = new Map<AddAction, StoredMatch[]>()
    for (const match of matches) {
      const add = files[match.file]
      const group = this.#groups[match.row]
      if (add === undefined || group === undefined) continue
      const list = byFile.get(add) ?? []
      list.push({ group, add, match })
      byFile.set(add, list)
    }
    for (const [add, list] of byFile) this.#byFile.set(add.path, list)
  }

  #wantedKeys(snapshot: Snapshot): WantedValues[] {
    return snapshot.fields
      .filter(field => this.#rules.keys.includes(field.name))
      .map(field =>
        wantedValues(
          field,
          this.#groups.map(group => group.key[field.name] ?? null)
        )
      )
  }
}
