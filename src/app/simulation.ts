/** A simulated ClaimX that a pipeline, or a person, can be pointed at. */
import type { MessageLog } from '../ports/index.ts'
import {
  createWorld,
  type FaultLevel,
  feedEvents,
  malformedShare,
  startSimulator
} from '../simulator/index.ts'
import { topics } from '../topology.ts'

export interface SimulationOptions {
  readonly events: number
  readonly projects: number
  readonly seed: number
  readonly faults: FaultLevel
  /** 0: any free port. */
  readonly port: number
  readonly token: string
  readonly latencyMs: number
}

export interface RunningSimulator {
  readonly apiUrl: string
  readonly host: string
  /** Writes the events that the raw topic does not hold yet; returns how many. */
  feed(log: MessageLog, options: { ratePerSecond?: number; signal: AbortSignal }): Promise<number>
  close(): Promise<void>
}

export async function startSimulation(options: SimulationOptions): Promise<RunningSimulator> {
  const { events, projects, seed, ...server } = options
  const world = createWorld({ events, projects, seed, malformed: malformedShare(options.faults) })
  const simulator = await startSimulator({ world, ...server })
  return {
    apiUrl: simulator.apiUrl,
    host: new URL(simulator.url).hostname,
    feed: (log, feedOptions) =>
      feedEvents(world, log, { topic: topics.claimx.raw, batch: 100, ...feedOptions }),
    close: () => simulator.close()
  }
}
