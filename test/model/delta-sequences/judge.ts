/**
 * Compares what was played with the model: the log says in which order the operations took place, the
 * model says what each version must hold, and everything that anybody read must be one of those.
 */
import { isPipelineError, parseJson } from '../../../src/core/index.ts'
import { DeltaTable, type VacuumResult } from '../../../src/delta/index.ts'
import { changesProblems } from './changes.ts'
import { isInjected, OPTIONS, type Outcome, type Played, TABLE } from './play.ts'
import { appended, deleted, type Merge, meant, merged, type Rows, textOf, updated } from './rows.ts'
import { trackingProblems } from './tracking.ts'

const DAY_MS = 86_400_000
/** Between the time of a tombstone and that of its commit. */
const SLACK_MS = 120_000
/** Errors that a writer may be told when others win for ever. */
const LOST = new Set(['DELTA_CONFLICT'])

export interface Verdict {
  readonly problems: readonly string[]
  readonly versions: number
  readonly operations: number
}

export async function judge(played: Played): Promise<Verdict> {
  return await new Judge(played).verdict()
}

class Judge {
  readonly #played: Played
  readonly #problems: string[] = []
  /** The content of each version, and its text. */
  readonly #rows: Rows[] = []
  readonly #texts: string[] = []
  readonly #versionsOf = new Map<number, number[]>()

  constructor(played: Played) {
    this.#played = played
  }

  async verdict(): Promise<Verdict> {
    const { world, outcomes } = this.#played
    this.#problems.push(...world.offences)
    this.#replay()
    for (const outcome of outcomes) this.#checkOutcome(outcome)
    this.#checkWarnings()
    await this.#checkVersions()
    await this.#checkReaders()
    await this.#checkWithoutCheckpoints()
    await this.#checkVacuum()
    await this.#checkChanges()
    await this.#attempt('row ids', async () => {
      const { world } = this.#played
      this.#problems.push(...(await trackingProblems(world, version => this.#isKept(version))))
    })
    return { problems: this.#problems, versions: this.#rows.length, operations: outcomes.length }
  }

  #replay(): void {
    const { world, outcomes } = this.#played
    const byOperation = new Map(outcomes.map(outcome => [outcome.task.operation, outcome]))
    for (let version = 0; version <= world.newest; version++) {
      const { operation, name } = this.#commitOf(version)
      const versions = this.#versionsOf.get(operation) ?? []
      this.#versionsOf.set(operation, [...versions, version])
      const before = this.#rows.at(-1) ?? new Map()
      const outcome = byOperation.get(operation)
      if (operation !== 0 && outcome === undefined) this.#problem(`version ${version} is of nobody`)
      const after =
        outcome === undefined || name === 'OPTIMIZE' ? before : this.#effect(outcome, before)
      this.#rows.push(after)
      this.#texts.push(textOf(after.values()))
    }
    for (const [operation, versions] of this.#versionsOf) {
      const kind = byOperation.get(operation)?.task.action.kind ?? 'create'
      if (versions.length > 1 && kind !== 'optimize' && kind !== 'maintain') {
        this.#problem(`operation ${operation} (${kind}) is committed as ${versions.join(' and ')}`)
      }
    }
  }

  #commitOf(version: number): { operation: number; name: string } {
    const path = `${TABLE}/_delta_log/${String(version).padStart(20, '0')}.json`
    const bytes = this.#played.world.objects.get(path)?.bytes
    if (bytes === undefined) {
      this.#problem(`commit ${version} is missing`)
      return { operation: 0, name: '' }
    }
    const [first = '{}'] = Buffer.from(bytes).toString().split('\n')
    const { commitInfo } = parseJson(first) as { commitInfo: { txnId: string; operation: string } }
    return {
      operation: Number.parseInt(commitInfo.txnId.split('-')[1] ?? '', 16),
      name: commitInfo.operation
    }
  }

  #effect(outcome: Outcome, before: Rows): Rows {
    const { task, version } = outcome
    if (task.action.kind !== 'restore') return effect(outcome, before)
    return this.#rows[version ?? 0] ?? before
  }

  /** A column that one writer knows may be gone by the restore of another. */
  #mayLackColumn(error: unknown): boolean {
    const { outcomes } = this.#played
    const restored = outcomes.some(({ task }) => task.action.kind === 'restore')
    return restored && isPipelineError(error) && error.code === 'DELTA_SCHEMA_MISMATCH'
  }

  #checkOutcome(outcome: Outcome): void {
    const { task, result, error, from, to } = outcome
    const { action, operation } = task
    const say = (what: string): void =>
      this.#problem(`operation ${operation} (${action.kind} by ${outcome.writer}): ${what}`)
    const committed = this.#versionsOf.get(operation) ?? []
    if (error !== undefined) {
      const lost = isPipelineError(error) && LOST.has(error.code)
      const known = isInjected(error) || lost || this.#mayLackColumn(error)
      if (!known && !this.#mayBeGone(outcome)) say(`failed: ${describe(error)}`)
      return
    }
    if (result === undefined) return
    const appends = action.kind === 'append' && result.kind === 'version'
    if (result.kind === 'merge' || result.kind === 'change' || appends) {
      const { version } = result.kind === 'merge' ? result.result : result
      if (committed.length === 1 && committed[0] !== version) {
        say(`said version ${version} but is committed as ${committed[0]}`)
      }
      if (committed.length === 0) this.#checkNoEffect(outcome, version, say)
      if (result.kind === 'merge') this.#checkCounts(outcome, say)
      if (result.kind === 'change') this.#checkMeant(outcome, version, result.rows, say)
    } else if (action.kind === 'addColumn' && committed.length === 0) say('added nothing')
    else if (result.kind === 'rows') {
      const text = textOf(result.rows)
      const { version } = outcome
      const allowed = version === undefined ? range(from, to) : [version]
      if (!allowed.some(one => this.#texts[one] === text)) {
        const wanted = allowed.map(one => `version ${one}:\n${this.#texts[one]}`).join('\n')
        say(`read\n${text}\nwhich is none of ${wanted}`)
      }
    } else if (result.kind === 'count') {
      if (!range(from, to).some(one => this.#rows[one]?.size === result.count)) {
        say(`counted ${result.count}`)
      }
    } else if (result.kind === 'found' && action.kind === 'findKeys') {
      const fits = range(from, to).some(one =>
        action.ids.every(id => this.#rows[one]?.has(id) === result.ids.includes(id))
      )
      if (!fits) say(`found ${result.ids.join(', ')} of ${action.ids.join(', ')}`)
    } else if (action.kind === 'checkpoint' && result.kind === 'version') {
      if (result.version < from || result.version > to) say(`wrote version ${result.version}`)
    }
  }

  /** A merge that committed nothing must have had nothing to change. */
  #checkNoEffect(outcome: Outcome, version: number, say: (what: string) => void): void {
    const before = this.#rows[version]
    if (version < outcome.from || version > outcome.to || before === undefined) {
      say(`said version ${version}, which was not the newest`)
    } else if (textOf(effect(outcome, before).values()) !== this.#texts[version]) {
      say(`changed nothing at version ${version}, though it should have`)
    }
  }

  /** How many rows the condition was true of at the version before. */
  #checkMeant({ task }: Outcome, version: number, rows: number, say: (what: string) => void): void {
    const { action, operation } = task
    if (action.kind !== 'delete' && action.kind !== 'update') return
    const committed = this.#versionsOf.has(operation)
    const before = this.#rows[committed ? version - 1 : version] ?? new Map()
    const wanted = meant(before, action.where).length
    if (rows !== wanted) say(`said ${rows} rows, it were ${wanted}`)
  }

  #checkCounts(outcome: Outcome, say: (what: string) => void): void {
    const { result, task } = outcome
    const [version] = this.#versionsOf.get(task.operation) ?? []
    if (result?.kind !== 'merge' || version === undefined) return
    const { inserted, updated, deleted } = result.result
    const before = this.#rows[version - 1] ?? new Map()
    const after = this.#rows[version] ?? new Map()
    const newKeys = [...after.keys()].filter(id => !before.has(id)).length
    const goneKeys = [...before.keys()].filter(id => !after.has(id)).length
    const differing = [...after].filter(([id, row]) => {
      const old = before.get(id)
      return old !== undefined && textOf([old]) !== textOf([row])
    }).length
    if (inserted !== newKeys) say(`said ${inserted} inserted, it were ${newKeys}`)
    if (deleted !== goneKeys) say(`said ${deleted} deleted, it were ${goneKeys}`)
    if (updated < differing) say(`said ${updated} updated, it were ${differing}`)
  }

  /** Whether what it reads may have been deleted by a vacuum. */
  #mayBeGone({ version, error }: Outcome): boolean {
    return version !== undefined && isPipelineError(error) && !this.#isKept(version)
  }

  /** Within the retention of every vacuum that ran. */
  #isKept(version: number): boolean {
    const superseded = this.#played.world.commits.get(version + 1)
    return superseded === undefined || this.#isYoung(superseded)
  }

  /** Whether no vacuum took what was of use until that time. */
  #isYoung(until: number): boolean {
    return this.#played.outcomes.every(outcome => {
      if (!['vacuum', 'maintain'].includes(outcome.task.action.kind)) return true
      const { retentionMs }: Pick<VacuumResult, 'retentionMs'> =
        outcome.result?.kind === 'vacuum' ? outcome.result.result : { retentionMs: DAY_MS }
      return outcome.startedAt + SLACK_MS < until + retentionMs
    })
  }

  /** Checkpoints may fail when the store does, and only then. */
  #checkWarnings(): void {
    const { faults } = this.#played.program
    const harmless = faults.refused + faults.answerLost + faults.late > 0
    if (!harmless) for (const warning of this.#played.warnings) this.#problem(warning)
  }

  /** Every version, each read by one who opens the table for it. */
  async #checkVersions(): Promise<void> {
    const { world } = this.#played
    for (let version = 0; version <= world.newest; version++) {
      try {
        const table = await DeltaTable.open(TABLE, world.actor(99).ports, OPTIONS)
        this.#compare(`version ${version}`, textOf(await table.read({ version })), version)
      } catch (error) {
        if (this.#isKept(version)) this.#problem(`version ${version}: ${describe(error)}`)
      }
    }
  }

  async #checkReaders(): Promise<void> {
    const { world, tables } = this.#played
    for (const [index, table] of tables.entries()) {
      await this.#attempt(`the table of writer ${index}`, async () => {
        this.#compare(`what writer ${index} sees`, textOf(await table.read()), world.newest)
        const report = await table.verify(['id'])
        for (const problem of report.problems) this.#problem(`writer ${index}: ${problem}`)
        const count = await table.countRows()
        if (count !== this.#rows[world.newest]?.size)
          this.#problem(`writer ${index}: ${count} rows`)
      })
    }
  }

  /** The log without its checkpoints says the same. */
  async #checkWithoutCheckpoints(): Promise<void> {
    const { world } = this.#played
    const bare = world.snapshot(path => !/_delta_log\/.*(checkpoint|\.crc|compacted)/.test(path))
    await this.#attempt('the log without checkpoints', async () => {
      const table = await DeltaTable.open(TABLE, bare.actor(99).ports, OPTIONS)
      this.#compare('the log without checkpoints', textOf(await table.read()), world.newest)
    })
  }

  /** Long after, a vacuum leaves what the newest version needs, and nothing else. */
  async #checkVacuum(): Promise<void> {
    const { world } = this.#played
    const later = world.snapshot(() => true)
    later.jump(8 * DAY_MS)
    await this.#attempt('a late vacuum', async () => {
      const table = await DeltaTable.open(TABLE, later.actor(99).ports, OPTIONS)
      await table.vacuum()
      this.#compare('after a late vacuum', textOf(await table.read()), world.newest)
      const { files } = await table.snapshot()
      const needed = new Set<string>()
      for (const { path, deletionVector } of files.values()) {
        needed.add(decodeURIComponent(path))
        if (deletionVector?.storageType === 'u') needed.add('a vector')
      }
      for (const path of later.objects.keys()) {
        const name = path.slice(TABLE.length + 1)
        if (name.startsWith('_delta_log/') || needed.has(name)) continue
        if (name.includes('deletion_vector') && needed.has('a vector')) continue
        this.#problem(`a late vacuum leaves ${name}`)
      }
    })
  }

  /** Their files are of use as long as the version is young. */
  async #checkChanges(): Promise<void> {
    const { world, outcomes } = this.#played
    // A restore changes whole files, whatever rows they have in common, and may take columns away.
    if (outcomes.some(({ task }) => task.action.kind === 'restore')) return
    await this.#attempt('the change feed', async () => {
      const isKept = (version: number): boolean => this.#isYoung(world.commits.get(version) ?? 0)
      this.#problems.push(...(await changesProblems(world, this.#rows, isKept)))
    })
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#problem(`${what}: ${describe(error)}`)
    }
  }

  #compare(what: string, text: string, version: number): void {
    const wanted = this.#texts[version] ?? ''
    if (text !== wanted) this.#problem(`${what} holds\n${text}\nand not\n${wanted}`)
  }

  #problem(text: string): void {
    this.#problems.push(text)
  }
}

function effect(outcome: Outcome, before: Rows): Rows {
  const { action } = outcome.task
  if (action.kind === 'append') return appended(before, outcome.rows)
  if (action.kind === 'delete') return deleted(before, action.where)
  if (action.kind === 'update') return updated(before, action.where, action.set)
  if (action.kind !== 'merge') return before
  const merge: Merge = { ...action, rows: outcome.rows }
  return merged(before, merge)
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const at = error.stack?.split('\n').find(line => line.includes('/src/')) ?? ''
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${isPipelineError(error) ? `${error.code} ` : ''}${error.message}${cause}${at}`
}
