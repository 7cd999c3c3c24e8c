/**
 * What a merge does with each key. A decision depends only on the batch and on one stored row, so it is
 * made once and keeps its identity through every attempt to commit; that is how a later attempt knows
 * which of the files written before are still right.
 */
import type { CellValue, Row } from '../../core/index.ts'
import type { Snapshot } from '../log-state.ts'
import { type ColumnTypes, type MergedRow, type MergeRules, mergeRows } from '../row-policies.ts'
import { assertComplete } from '../rows.ts'
import type { StoredMatch } from './locator.ts'
import type { SourceGroup } from './source.ts'

/** What becomes of a key: a new row, another row in the place of a stored one, or none in its place. */
export interface Decision {
  /** Undefined: the stored row is deleted. */
  readonly values: Readonly<Record<string, CellValue>> | undefined
  readonly replaces: StoredMatch | undefined
  readonly group: SourceGroup
}

/** A decision that has a row to be written. */
export type DecidedRow = Decision & { readonly values: Readonly<Record<string, CellValue>> }

export interface Decisions {
  readonly all: ReadonlySet<Decision>
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

export class Decider {
  readonly #rules: MergeRules
  readonly #where: string
  readonly #defaults: ReadonlyMap<string, CellValue> | undefined
  #types: ColumnTypes = new Map()
  /** Undefined: nothing is stored and nothing is to be. */
  readonly #inserts = new Map<SourceGroup, Decision | undefined>()
  /** Undefined: the stored row stays as it is. */
  readonly #updates = new Map<StoredMatch, Decision | undefined>()

  /** `defaults`: of a table whose rules complete and check the rows after this. */
  constructor(
    rules: MergeRules,
    where: string,
    defaults: ReadonlyMap<string, CellValue> | undefined
  ) {
    this.#rules = rules
    this.#where = where
    this.#defaults = defaults
  }

  decide(
    snapshot: Snapshot,
    groups: readonly SourceGroup[],
    matches: readonly StoredMatch[]
  ): Decisions {
    this.#types = new Map(snapshot.fields.map(field => [field.name, field.type]))
    const columns = [...this.#types.keys()]
    const all = new Set<Decision>()
    const matched = new Set<SourceGroup>()
    let updated = 0
    let deleted = 0
    for (const match of matches) {
      matched.add(match.group)
      const decision = this.#update(snapshot, columns, match)
      if (decision === undefined) continue
      if (decision.values === undefined) deleted++
      else updated++
      all.add(decision)
    }
    for (const group of groups) {
      const decision = matched.has(group) ? undefined : this.#insert(snapshot, columns, group)
      if (decision !== undefined) all.add(decision)
    }
    return { all, inserted: all.size - updated - deleted, updated, deleted }
  }

  #update(
    snapshot: Snapshot,
    columns: readonly string[],
    match: StoredMatch
  ): Decision | undefined {
    if (this.#rules.insertOnly === true) return undefined
    if (this.#updates.has(match)) return this.#updates.get(match)
    const { rows, deletes } = match.group
    const merged = this.#merged(columns, match.match.values, rows, deletes)
    const values = merged.deleted ? undefined : merged.values
    const { group } = match
    const decision = merged.changed ? { values, replaces: match, group } : undefined
    this.#assertComplete(snapshot, decision)
    this.#updates.set(match, decision)
    return decision
  }

  #insert(
    snapshot: Snapshot,
    columns: readonly string[],
    group: SourceGroup
  ): Decision | undefined {
    if (this.#inserts.has(group)) return this.#inserts.get(group)
    const merged = this.#merged(columns, undefined, group.rows, group.deletes)
    const decision = merged.deleted
      ? undefined
      : { values: merged.values, replaces: undefined, group }
    this.#assertComplete(snapshot, decision)
    this.#inserts.set(group, decision)
    return decision
  }

  #merged(
    columns: readonly string[],
    stored: Readonly<Record<string, CellValue>> | undefined,
    rows: readonly Row[],
    deletes: ReadonlySet<Row>
  ): MergedRow {
    return mergeRows(this.#rules, columns, stored, rows, deletes, this.#types, this.#defaults)
  }

  #assertComplete(snapshot: Snapshot, decision: Decision | undefined): void {
    if (decision?.values === undefined || this.#defaults !== undefined) return
    assertComplete(snapshot.fields, decision.values, this.#where)
  }
}
