/** Plays a program in a simulated world and notes what each operation said. */
import type { CellValue, Row } from '../../../src/core/index.ts'
import {
  type DeltaOptions,
  DeltaTable,
  type MergeResult,
  type VacuumResult
} from '../../../src/delta/index.ts'
import { seededRandom } from '../../helpers/random.ts'
import { type Actor, World } from '../../helpers/simulated-world.ts'
import { type Action, COLUMNS, POLICIES, type Program, type Task } from './program.ts'

export const TABLE = 't'
/** Less than the shortest retention. */
const RESTORED_MS = 36_000_000
export const OPTIONS: DeltaOptions = { scratch: '/tmp/claims-pipeline-simulated' }
/** So few rows that no index is ever written: its file belongs to no simulated disk. */
const INDEXED = { indexDirectory: '/tmp/claims-pipeline-simulated', indexFromRows: 1 }

export type Result =
  | { readonly kind: 'merge'; readonly result: MergeResult }
  | { readonly kind: 'change'; readonly version: number; readonly rows: number }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'rows'; readonly rows: readonly Readonly<Record<string, CellValue>>[] }
  | { readonly kind: 'found'; readonly ids: readonly string[] }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'vacuum'; readonly result: VacuumResult }
  | { readonly kind: 'nothing' }

export interface Outcome {
  readonly task: Task
  readonly writer: number
  /** The rows as they were given: appended ones have keys of their own. */
  readonly rows: readonly Row[]
  /** The newest version when it began and when it ended. */
  readonly from: number
  to: number
  startedAt: number
  /** Of a read of the past. */
  version?: number
  result?: Result
  error?: unknown
  died?: true
}

export interface Played {
  readonly program: Program
  readonly world: World
  readonly outcomes: readonly Outcome[]
  /** The tables of the writers at the end, as old as they are. */
  readonly tables: readonly DeltaTable[]
  readonly warnings: readonly string[]
}

interface Writer {
  readonly index: number
  actor: Actor
  table: DeltaTable
  /** Columns that this writer knows to be there. */
  readonly columns: string[]
}

export async function play(program: Program): Promise<Played> {
  const random = seededRandom(program.seed ^ 0x5ca1ab1e)
  const world = new World(random, program.faults, program.sizeFactor)
  return await new Player(program, world).play()
}

class Player {
  readonly #program: Program
  readonly #world: World
  readonly #outcomes: Outcome[] = []
  readonly #warnings: string[] = []

  constructor(program: Program, world: World) {
    this.#program = program
    this.#world = world
  }

  async play(): Promise<Played> {
    const { rounds } = this.#program
    const count = rounds[0]?.tasks.length ?? 0
    const opening = Array.from({ length: count }, (_, index) => this.#open(index))
    const writers = await this.#world.run(Promise.all(opening))
    for (const { jumpMs, tasks } of rounds) {
      this.#world.jump(jumpMs)
      await this.#world.run(
        Promise.all(writers.map(writer => this.#work(writer, tasks[writer.index] ?? [])))
      )
      await this.#world.calm()
    }
    this.#world.quiet = true
    for (const { table } of writers) await table.settled()
    return {
      program: this.#program,
      world: this.#world,
      outcomes: this.#outcomes,
      tables: writers.map(writer => writer.table),
      warnings: [...this.#warnings, ...writers.flatMap(writer => writer.actor.warnings)]
    }
  }

  /** A process that finds the store out of order tries again. */
  async #open(index: number): Promise<Writer> {
    const { partitioned, properties, indexed } = this.#program
    const options = indexed ? { ...OPTIONS, ...INDEXED } : OPTIONS
    const spec = { columns: COLUMNS, partitionBy: partitioned ? ['place'] : [], properties }
    for (;;) {
      const actor = this.#world.actor(index)
      try {
        const table = await DeltaTable.openOrCreate(TABLE, spec, actor.ports, options)
        return { index, actor, table, columns: [] }
      } catch (error) {
        if (!isInjected(error)) throw error
      }
    }
  }

  async #work(writer: Writer, tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) {
      if (task.dieAfter !== undefined) writer.actor.dieAfter = task.dieAfter
      const beside = task.beside === undefined ? [] : [this.#perform(writer, task.beside)]
      await Promise.all([this.#perform(writer, task), ...beside])
      const died = await Promise.race([writer.actor.died, Promise.resolve('alive')])
      if (died === 'died') await this.#reopen(writer)
      else writer.actor.dieAfter = undefined
    }
  }

  async #reopen(writer: Writer): Promise<void> {
    this.#warnings.push(...writer.actor.warnings)
    const { actor, table } = await this.#open(writer.index)
    writer.actor = actor
    writer.table = table
  }

  async #perform(writer: Writer, task: Task): Promise<void> {
    const outcome: Outcome = {
      task,
      writer: writer.index,
      rows: rowsOf(task, writer),
      from: this.#world.newest,
      to: -1,
      startedAt: this.#world.now
    }
    this.#outcomes.push(outcome)
    const work = this.#world.operation.run(task.operation, () => this.#act(writer, outcome))
    try {
      const result = await Promise.race([work, writer.actor.died])
      if (result === 'died') outcome.died = true
      else outcome.result = result
    } catch (error) {
      outcome.error = error
    }
    outcome.to = this.#world.newest
  }

  async #act(writer: Writer, outcome: Outcome): Promise<Result> {
    const { table } = writer
    const { rows, task } = outcome
    const { action, operation } = task
    switch (action.kind) {
      case 'merge':
        return { kind: 'merge', result: await merge(table, action, rows) }
      case 'delete': {
        const { version, deleted } = await table.delete(conditionOf(action))
        return { kind: 'change', version, rows: deleted }
      }
      case 'update': {
        const { version, updated } = await table.update({ set: action.set, ...conditionOf(action) })
        return { kind: 'change', version, rows: updated }
      }
      case 'append':
        return { kind: 'version', version: (await table.append(rows)).version }
      case 'addColumn':
        await table.addColumns([{ name: `x${operation}`, type: 'string', nullable: true }])
        writer.columns.push(`x${operation}`)
        return { kind: 'nothing' }
      case 'setProperties':
        await table.setProperties(action.changes)
        return { kind: 'nothing' }
      case 'optimize': {
        const { targetFileBytes, deletedPart, zOrderBy } = action
        await table.optimize({ targetFileBytes, deletedPart, zOrderBy })
        return { kind: 'nothing' }
      }
      case 'maintain': {
        const { vacuumed } = await table.maintain()
        return vacuumed === undefined ? { kind: 'nothing' } : { kind: 'vacuum', result: vacuumed }
      }
      case 'restore':
        return await this.#restore(table, outcome, action.back)
      case 'vacuum':
        return { kind: 'vacuum', result: await table.vacuum() }
      case 'checkpoint':
        return { kind: 'version', version: await table.checkpoint() }
      case 'read':
        return { kind: 'rows', rows: await table.read() }
      case 'readPast':
        outcome.version = Math.floor(action.part * (this.#world.newest + 1))
        return { kind: 'rows', rows: await table.read({ version: outcome.version }) }
      case 'findKeys': {
        const found = await table.findKeys('id', action.ids)
        return { kind: 'found', ids: action.ids.filter((_, index) => found.has(index)) }
      }
      case 'countRows':
        return { kind: 'count', count: await table.countRows() }
      case 'reopen':
        await table.close()
        await this.#reopen(writer)
        return { kind: 'nothing' }
    }
  }

  /** Only to what no vacuum may take meanwhile. */
  async #restore(table: DeltaTable, outcome: Outcome, back: number): Promise<Result> {
    const version = Math.max(0, this.#world.newest - back)
    const superseded = this.#world.commits.get(version + 1) ?? this.#world.now
    outcome.version = version
    if (this.#world.now - superseded > RESTORED_MS) return { kind: 'nothing' }
    await table.restore({ version })
    return { kind: 'nothing' }
  }
}

function conditionOf({ where }: { readonly where?: string }): { readonly where?: string } {
  return where === undefined ? {} : { where }
}

function rowsOf({ action, operation }: Task, writer: Writer): readonly Row[] {
  if (action.kind !== 'merge' && action.kind !== 'append') return []
  const extra = writer.columns.at(-1)
  return action.rows.map((row, index) => ({
    ...row,
    ...(action.kind === 'append' ? { id: `a${operation}-${index}` } : {}),
    ...(extra !== undefined && index % 2 === 0 ? { [extra]: `by ${operation}` } : {})
  }))
}

async function merge(
  table: DeltaTable,
  action: Extract<Action, { kind: 'merge' }>,
  rows: readonly Row[]
): Promise<MergeResult> {
  const deletes = new Set(action.deletes.map(index => rows[index]))
  const { insertOnly, overwrite, targetFileBytes, smallFileBytes } = action
  return await table.merge(
    rows,
    {
      keys: ['id'],
      policies: new Map(Object.entries(POLICIES)),
      insertOnly,
      overwrite,
      deleteWhen: row => deletes.has(row)
    },
    { targetFileBytes, smallFileBytes }
  )
}

/** Whether the error is one that the world was asked for, or comes of one. */
export function isInjected(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (/as the test asked it to/.test(cause.message)) return true
  }
  return false
}
