/** How far the consumer groups are behind. */
import type { MessageLog } from '../ports/index.ts'
import { stages, type WorkerName, workerNames } from '../topology.ts'

export interface StageLag {
  readonly worker: WorkerName
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** Undefined: nothing committed yet. */
  readonly committed: bigint | undefined
  readonly end: bigint
  readonly lag: bigint
}

/** Lag of every partition that the workers read; topics that do not exist are left out. */
export async function stageLags(
  log: MessageLog,
  workers: readonly WorkerName[] = workerNames
): Promise<StageLag[]> {
  const rows: StageLag[] = []
  for (const worker of workers) {
    const { inputs, group } = stages[worker]
    const present = await log.describeTopics(inputs)
    const names = present.map(topic => topic.name)
    if (names.length === 0) continue
    for (const lag of await log.groupLag(group, names)) rows.push({ worker, group, ...lag })
  }
  return rows
}

/** Records that some worker has still to commit. */
export async function totalLag(
  log: MessageLog,
  workers: readonly WorkerName[] = workerNames
): Promise<bigint> {
  const lags = await stageLags(log, workers)
  return lags.reduce((sum, row) => sum + row.lag, 0n)
}
