/** Plays and judges the programs of consecutive seeds, and makes those that fail as small as can be. */
import { judge } from './judge.ts'
import { play } from './play.ts'
import { type Program, programOf } from './program.ts'
import { shrink } from './shrink.ts'

export interface SeedsOptions {
  readonly first: number
  readonly count: number
  /** Stops after so long. */
  readonly seconds: number
  /** Stops after so many that fail. */
  readonly failures: number
  readonly say: (text: string) => void
}

export interface SeedsReport {
  readonly first: number
  readonly last: number
  readonly failed: readonly number[]
  readonly operations: number
  readonly versions: number
  readonly events: number
}

export async function playSeeds(options: SeedsOptions): Promise<SeedsReport> {
  const startedAt = performance.now()
  const failed: number[] = []
  let [operations, versions, events] = [0, 0, 0]
  let seed = options.first
  for (; seed < options.first + options.count; seed++) {
    if (performance.now() - startedAt > options.seconds * 1000) break
    const program = programOf(seed)
    const { problems, ...sums } = await tried(program)
    operations += sums.operations
    versions += sums.versions
    events += sums.events
    if (problems.length === 0) continue
    failed.push(seed)
    const smallest = await shrink(program, async one => (await tried(one)).problems.length > 0)
    options.say(`seed ${seed} differs: ${problems[0]}`)
    options.say(`  smallest: ${JSON.stringify(smallest, bigintText)}`)
    options.say(`  which says: ${(await tried(smallest)).problems.join('\n')}`)
    if (failed.length >= options.failures) break
  }
  const seconds = (performance.now() - startedAt) / 1000
  const last = Math.min(seed, options.first + options.count - 1)
  const played = last - options.first + 1
  options.say(
    `seeds ${options.first} to ${last}: ${played} sequences, ${failed.length} differ; ${operations} operations, ` +
      `${versions} versions, ${events} events in ${seconds.toFixed(1)} s (${(played / seconds).toFixed(0)} a second)`
  )
  return { first: options.first, last, failed, operations, versions, events }
}

async function tried(program: Program) {
  try {
    const played = await play(program)
    return { ...(await judge(played)), events: played.world.steps }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { problems: [text], operations: 0, versions: 0, events: 0 }
  }
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}
