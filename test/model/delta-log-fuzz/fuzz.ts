/** Plays mutations of logs by consecutive seeds: see README.md. */
import { setTimeout as pause } from 'node:timers/promises'
import { isPipelineError } from '../../../src/core/index.ts'
import { type DeltaPorts, DeltaTable } from '../../../src/delta/index.ts'
import { type Random, seededRandom } from '../../helpers/random.ts'
import { type BaseLog, stateText } from './logs.ts'
import { type Mutated, mutate } from './mutations.ts'

export interface FuzzOptions {
  readonly logs: readonly BaseLog[]
  readonly ports: DeltaPorts
  readonly scratch: string
  readonly first: number
  readonly count: number
  /** Stops after so long. */
  readonly seconds: number
  readonly say: (text: string) => void
}

export interface FuzzReport {
  readonly played: number
  readonly refused: number
  /** Seeds. */
  readonly failed: readonly number[]
}

const HANGS_AFTER_MS = 60_000

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const startedAt = performance.now()
  const failed: number[] = []
  let [played, refused] = [0, 0]
  for (let seed = options.first; seed < options.first + options.count; seed++) {
    if (performance.now() - startedAt > options.seconds * 1000) break
    const random = seededRandom(seed)
    const log = random.pick(options.logs)
    const mutated = mutate(log, random)
    const outcome = await tried(options, log, mutated, random)
    played++
    if (outcome === 'refused') refused++
    else if (outcome !== 'right') {
      failed.push(seed)
      options.say(
        `seed ${seed}, ${log.name}, ${mutated.effect}: ${mutated.what.slice(0, 400)}\n  ${outcome}`
      )
    }
  }
  return { played, refused, failed }
}

/** `right`, `refused`, or what is wrong. */
async function tried(
  { ports, scratch }: FuzzOptions,
  log: BaseLog,
  mutated: Mutated,
  random: Random
): Promise<string> {
  const paths = [...mutated.files].map(([path, bytes]) => [`f/_delta_log/${path}`, bytes] as const)
  for (const [path, bytes] of paths) await ports.store.put(path, bytes)
  const over = new AbortController()
  try {
    const hang = pause(HANGS_AFTER_MS, 'it hangs', { signal: over.signal })
    hang.catch(() => undefined)
    return await Promise.race([judged(ports, scratch, log, mutated, random), hang])
  } catch (error) {
    return describe(error)
  } finally {
    over.abort()
    for (const [path] of paths) await ports.store.delete(path)
  }
}

async function judged(
  ports: DeltaPorts,
  scratch: string,
  log: BaseLog,
  { effect }: Mutated,
  random: Random
): Promise<string> {
  let table: DeltaTable
  try {
    table = await DeltaTable.open('f', ports, { scratch })
  } catch (error) {
    return mayRefuse(error, effect)
  }
  try {
    const newest = await table.snapshot()
    if (effect !== 'any') {
      const known = newest.version === log.newest || effect === 'tail'
      if (!known) return `the newest version is ${newest.version}, not ${log.newest}`
      if (stateText(newest, !log.parquet) !== log.states.get(newest.version)) {
        return `version ${newest.version} differs:\n${stateText(newest, !log.parquet)}\n${log.states.get(newest.version)}`
      }
    }
    const version = random.int(0, log.newest)
    const results = [
      await past(table, log, version, effect),
      await attempt(() => table.history(100), effect === 'same' ? 'harm' : effect),
      await attempt(() => table.versionAt(random.pick([newest.timestamp, 0, 1e15])), 'harm'),
      await attempt(() => table.versionAt(Number.NaN), 'harm')
    ]
    return results.find(result => result !== 'right') ?? 'right'
  } finally {
    await table.close()
  }
}

async function past(
  table: DeltaTable,
  log: BaseLog,
  version: number,
  effect: string
): Promise<string> {
  const expected = log.states.get(version)
  try {
    const found = stateText(await table.snapshot(version), !log.parquet)
    if (effect === 'any' || found === expected) return 'right'
    return `version ${version} differs:\n${found}\n${expected}`
  } catch (error) {
    const result = mayRefuse(error, expected === undefined ? 'harm' : effect)
    return result === 'refused' ? 'right' : result
  }
}

async function attempt(work: () => Promise<unknown>, effect: string): Promise<string> {
  try {
    await work()
    return 'right'
  } catch (error) {
    const result = mayRefuse(error, effect)
    return result === 'refused' ? 'right' : result
  }
}

function mayRefuse(error: unknown, effect: string): string {
  if (!isPipelineError(error)) return `no error of ours: ${describe(error)}`
  return effect === 'same' ? `refused for no reason: ${describe(error)}` : 'refused'
}

function describe(error: unknown): string {
  const { stack, cause } = error as { stack?: string; cause?: unknown }
  return `${stack ?? error}${cause === undefined ? '' : `\n  because of ${describe(cause)}`}`
}
