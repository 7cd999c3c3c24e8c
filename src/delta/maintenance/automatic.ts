/**
 * Maintenance that runs by itself, beside the commits of a table object and never for longer than it is
 * open. A commit starts a run when the last one is long enough ago; a table that nobody writes is left alone.
 */
import type { DeltaPorts } from '../ports.ts'
import type { MaintenanceOptions, MaintenanceResult } from './maintenance.ts'

/** Maintenance of an open table that runs by itself. */
export interface AutomaticMaintenance extends Omit<MaintenanceOptions, 'signal'> {
  /** Milliseconds between two runs, about; a minute by default. */
  readonly intervalMs?: number
  /** Told of each run that did something. */
  readonly onRun?: (result: MaintenanceResult) => void
}

const MINUTE_MS = 60_000

export class Maintenance {
  readonly #ports: DeltaPorts
  readonly #where: string
  readonly #options: AutomaticMaintenance
  readonly #run: (options: MaintenanceOptions) => Promise<MaintenanceResult>
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #next: number

  constructor(
    ports: DeltaPorts,
    where: string,
    options: AutomaticMaintenance,
    run: (options: MaintenanceOptions) => Promise<MaintenanceResult>
  ) {
    this.#ports = ports
    this.#where = where
    this.#options = options
    this.#run = run
    this.#next = this.#later()
  }

  /** A commit of this table object: starts a run when one is due. */
  committed(): void {
    if (this.#running !== undefined || this.#stop.signal.aborted) return
    if (this.#ports.clock.now() < this.#next) return
    this.#running = this.#maintain().finally(() => {
      this.#next = this.#later()
      this.#running = undefined
    })
  }

  async settled(): Promise<void> {
    await this.#running
  }

  /** Gives up what is under way; what it has committed stays. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #maintain(): Promise<void> {
    try {
      const result = await this.#run({ ...this.#options, signal: this.#stop.signal })
      const { optimized, vacuumed } = result
      const files = optimized.filesRemoved + (vacuumed?.files.length ?? 0)
      if (files + optimized.lost > 0) this.#options.onRun?.(result)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#ports.onWarning?.(`The maintenance of ${this.#where} failed`, error)
    }
  }

  /** Not at the same moment as other processes. */
  #later(): number {
    const interval = this.#options.intervalMs ?? MINUTE_MS
    return this.#ports.clock.now() + interval * (0.5 + this.#ports.ids.random())
  }
}
