/**
 * The files of changes of a merge: like its data files they are kept from one attempt to commit to the
 * next while all that they tell is still decided so.
 */
import type { CellValue } from '../../core/index.ts'
import type { CdcAction } from '../actions.ts'
import { type ChangedRow, type ChangeType, writeChanges } from '../change-data/index.ts'
import type { Snapshot } from '../log-state.ts'
import { partitionKey, partitionOf } from '../partition-values.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import type { Decision, Decisions } from './decisions.ts'

interface WrittenChanges {
  /** Of the partition. */
  readonly key: string
  readonly decisions: ReadonlySet<Decision>
  readonly cdc: CdcAction
}

interface Bin {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly decisions: Set<Decision>
  readonly rows: ChangedRow[]
}

export class ChangeFiles {
  readonly #log: TableLog
  readonly #onWritten: (path: string, bytes: number) => void
  #files: WrittenChanges[] = []

  /** `onWritten` is told the path in the store, and the size, of each file. */
  constructor(log: TableLog, onWritten: (path: string, bytes: number) => void) {
    this.#log = log
    this.#onWritten = onWritten
  }

  /** Files that tell all of the decisions; what is told already is not written again. */
  async prepare(snapshot: Snapshot, decisions: Decisions): Promise<CdcAction[]> {
    this.#files = this.#files.filter(file => file.decisions.isSubsetOf(decisions.all))
    const told = new Map<string, Set<Decision>>()
    for (const { key, decisions: known } of this.#files) {
      told.set(key, (told.get(key) ?? new Set()).union(known))
    }
    for (const [key, bin] of binsOf(snapshot, decisions, told)) {
      const { partitionValues, rows } = bin
      const cdc = await writeChanges(this.#log, snapshot, { partitionValues, rows, copies: [] })
      this.#onWritten(objectPath(this.#log.path, cdc), cdc.size)
      this.#files.push({ key, decisions: bin.decisions, cdc })
    }
    return this.#files.map(file => file.cdc)
  }
}

/** The rows of each partition that its files do not tell yet. */
function binsOf(
  snapshot: Snapshot,
  decisions: Decisions,
  told: ReadonlyMap<string, ReadonlySet<Decision>>
): Map<string, Bin> {
  const bins = new Map<string, Bin>()
  const add = (
    decision: Decision,
    values: Readonly<Record<string, CellValue>>,
    type: ChangeType
  ): void => {
    const partitionValues = partitionOf(snapshot, values)
    const key = partitionKey(partitionValues)
    if (told.get(key)?.has(decision) === true) return
    const bin = bins.get(key) ?? { partitionValues, decisions: new Set(), rows: [] }
    bins.set(key, bin)
    bin.decisions.add(decision)
    bin.rows.push({ ...values, _change_type: type })
  }
  for (const decision of decisions.all) {
    const { values, replaces } = decision
    const before = replaces?.match.values
    if (before !== undefined) {
      add(decision, before, values === undefined ? 'delete' : 'update_preimage')
    }
    if (values !== undefined) {
      add(decision, values, before === undefined ? 'insert' : 'update_postimage')
    }
  }
  return bins
}
