/** Workers of one process: started together, stopped together; the first that fails ends all. */
import { isPipelineError } from '../core/index.ts'
import type { MessageLog } from '../ports/index.ts'
import { StageRunner } from '../runtime/index.ts'
import type { WorkerName } from '../topology.ts'
import { assertTopics } from './message-log.ts'
import type { RunningWorkers } from './pipeline-types.ts'
import { buildStage, type WorkerParts } from './workers.ts'

export function startWorkers(
  workers: readonly WorkerName[],
  count: number,
  parts: WorkerParts,
  log: MessageLog
): RunningWorkers {
  const runners = workers.flatMap(worker =>
    Array.from(
      { length: count },
      (_, instance) => new StageRunner(buildStage(worker, parts), { ...parts, log }, instance)
    )
  )
  const stop = async ({ deadlineMs }: { deadlineMs: number }): Promise<void> => {
    await Promise.all(runners.map(runner => runner.stop(deadlineMs)))
    await finished.catch(() => undefined)
  }
  // While the log is away they wait for it themselves.
  const ready = assertTopics(log, workers).catch((error: unknown) => {
    if (!isPipelineError(error) || !error.retryable) throw error
  })
  ready.catch(() => undefined)
  const runs = runners.map(async runner => {
    try {
      await ready
      await runner.run()
    } catch (error) {
      // One that cannot go on ends the process; the others keep their place.
      for (const other of runners) {
        other.stop(0).catch(() => undefined)
      }
      throw error
    }
  })
  const finished = settleAll(runs)
  finished.catch(() => undefined)
  return { progress: () => runners.map(runner => runner.progress()), stop, finished }
}

/** Waits for all, then rejects with the first failure. */
async function settleAll(runs: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(runs)
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason
  }
}
