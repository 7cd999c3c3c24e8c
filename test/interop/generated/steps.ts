/** The steps of a history: what is done to the table, and the same done to the map of rows. */
import { DeltaTable, type MergeRules } from '../../../src/delta/index.ts'
import { deleteWhere, restore, switchVectors, updateWhere } from './conditions.ts'
import { maintain, optimize, zOrder } from './layout.ts'
import { type GeneratedTable, type ModelRow, specOf } from './table.ts'

interface Step {
  readonly name: string
  readonly weight: number
  /** Changes or removes stored rows. */
  readonly changes?: boolean
  /** Needs column mapping. */
  readonly mapped?: boolean
  run(at: GeneratedTable): Promise<void>
}

const STEPS: readonly Step[] = [
  { name: 'append', weight: 4, run: append },
  { name: 'upsert', weight: 5, changes: true, run: upsert },
  { name: 'insert if absent', weight: 2, run: insertIfAbsent },
  { name: 'overwrite', weight: 2, changes: true, run: overwrite },
  { name: 'delete', weight: 3, changes: true, run: deleteSome },
  { name: 'delete by condition', weight: 2, changes: true, run: deleteWhere },
  { name: 'update by condition', weight: 2, changes: true, run: updateWhere },
  { name: 'restore', weight: 1, changes: true, run: restore },
  { name: 'vectors on or off', weight: 0.5, run: switchVectors },
  { name: 'add a column', weight: 1, run: addColumn },
  { name: 'rename a column', weight: 1, mapped: true, run: renameColumn },
  { name: 'drop a column', weight: 0.5, mapped: true, run: dropColumn },
  { name: 'checkpoint', weight: 1, run: async at => void (await at.table.checkpoint()) },
  { name: 'optimize', weight: 1, run: optimize },
  { name: 'z-order', weight: 0.7, run: zOrder },
  { name: 'maintain', weight: 0.5, run: maintain },
  { name: 'vacuum', weight: 0.4, run: vacuum },
  { name: 'reopen', weight: 1, run: at => at.reopen() },
  { name: 'two writers at once', weight: 1, changes: true, run: twoWriters }
]

export async function runHistory(at: GeneratedTable): Promise<void> {
  await at.create()
  const appendOnly = at.features.some(feature => feature.appendOnly === true)
  const possible = STEPS.filter(
    step => !(appendOnly && step.changes) && (at.mapped || step.mapped !== true)
  )
  for (let count = at.random.int(1, 12); count > 0; count--) {
    const step = weighted(at, possible)
    const refused = await unlessRefused(step.run(at))
    if (refused) at.refused.push(step.name)
    await at.recorded(refused ? `${step.name} (refused)` : step.name)
  }
  await at.table.settled()
}

/** True when our engine says that it does not do this with such a table; that is no wrong answer. */
async function unlessRefused(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return false
  } catch (error) {
    if ((error as { code?: string }).code === 'DELTA_UNSUPPORTED') return true
    throw error
  }
}

function weighted(at: GeneratedTable, steps: readonly Step[]): Step {
  let left = at.random.next() * steps.reduce((sum, step) => sum + step.weight, 0)
  for (const step of steps) {
    left -= step.weight
    if (left < 0) return step
  }
  return steps[0] as Step
}

function batch(at: GeneratedTable, make: () => ModelRow): ModelRow[] {
  return Array.from({ length: at.random.int(1, at.random.chance(0.1) ? 300 : 15) }, make)
}

function rules(at: GeneratedTable, more: Partial<MergeRules> = {}): MergeRules {
  return { keys: at.keys, policies: new Map(at.keys.map(name => [name, 'key'])), ...more }
}

async function append(at: GeneratedTable): Promise<void> {
  const rows = batch(at, () => at.freshRow())
  await at.table.append(rows)
  for (const row of rows) at.store(row)
}

async function upsert(at: GeneratedTable): Promise<void> {
  const rows = batch(at, () => at.changedRow())
  await at.table.merge(rows, rules(at))
  applyUpserts(at, rows)
}

function applyUpserts(at: GeneratedTable, rows: readonly ModelRow[]): void {
  for (const row of rows) at.store({ ...at.rows.get(at.keyOf(row)), ...row })
}

async function insertIfAbsent(at: GeneratedTable): Promise<void> {
  const rows = batch(at, () => ({ ...at.freshRow(), ...at.changedRow() }))
  await at.table.merge(rows, rules(at, { insertOnly: true }))
  for (const row of rows) if (!at.rows.has(at.keyOf(row))) at.store(row)
}

async function overwrite(at: GeneratedTable): Promise<void> {
  const rows = batch(at, () => at.changedRow())
  await at.table.merge(rows, rules(at, { overwrite: true }))
  for (const row of rows) at.store(row)
}

async function deleteSome(at: GeneratedTable): Promise<void> {
  const stored = [...at.rows.values()]
  const part = at.random.pick([0.1, 0.5, 1])
  const chosen = stored.filter(() => at.random.chance(part))
  if (chosen.length === 0) return
  const rows = chosen.map(row => Object.fromEntries(at.keys.map(name => [name, row[name] ?? null])))
  await at.table.merge(rows, rules(at, { deleteWhen: () => true }))
  for (const row of rows) at.rows.delete(at.keyOf(row))
}

async function addColumn(at: GeneratedTable): Promise<void> {
  const column = at.addColumn()
  await at.table.addColumns([specOf(column)])
}

async function renameColumn(at: GeneratedTable): Promise<void> {
  const change = at.renameColumn()
  if (change !== undefined) await at.table.renameColumn(change.from, change.to)
}

async function dropColumn(at: GeneratedTable): Promise<void> {
  const name = at.dropColumn()
  if (name !== undefined) await at.table.dropColumn(name)
}

/** Of everything that is not needed now: older versions cannot be read afterwards. */
async function vacuum(at: GeneratedTable): Promise<void> {
  await at.table.vacuum({ retentionMs: 0, force: true })
  at.versions.clear()
}

/** Rows with keys of their own each, so that their order does not matter. */
async function twoWriters(at: GeneratedTable): Promise<void> {
  const other = await DeltaTable.open(at.path, at.delta.ports, at.delta.options)
  const all = new Map(batch(at, () => at.changedRow()).map(row => [at.keyOf(row), row]))
  const rows = [...all.values()]
  const half = Math.ceil(rows.length / 2)
  const batches = [rows.slice(0, half), rows.slice(half)]
  await Promise.all([
    at.table.merge(batches[0] ?? [], rules(at)),
    other.merge(batches[1] ?? [], rules(at))
  ])
  applyUpserts(at, rows)
  await other.close()
}
