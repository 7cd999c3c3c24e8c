/** For each host its own breaker and share of connections, so that one sick host stops no other. */
import {
  Admission,
  CircuitBreaker,
  ConcurrencyLimiter,
  defaultConcurrency,
  type GateChange
} from '../../http/index.ts'
import type { Clock, Telemetry } from '../../ports/index.ts'
import type { FetchSettings } from './options.ts'

export interface HostGate {
  readonly admission: Admission
  readonly breaker: CircuitBreaker
}

export class HostGates {
  readonly #settings: FetchSettings
  readonly #ports: { readonly clock: Clock; readonly telemetry: Telemetry }
  /** Bounded by the list of allowed hosts: only checked URLs get here. */
  readonly #gates = new Map<string, HostGate>()

  constructor(
    settings: FetchSettings,
    ports: { readonly clock: Clock; readonly telemetry: Telemetry }
  ) {
    this.#settings = settings
    this.#ports = ports
  }

  of(url: URL): HostGate {
    let gate = this.#gates.get(url.host)
    if (gate === undefined) {
      gate = this.#open(url.host)
      this.#gates.set(url.host, gate)
    }
    return gate
  }

  close(error: Error): void {
    for (const gate of this.#gates.values()) gate.admission.close(error)
  }

  #open(host: string): HostGate {
    const breaker = new CircuitBreaker(this.#settings.breaker)
    const concurrency = new ConcurrencyLimiter({
      ...defaultConcurrency,
      // How long a download takes is a matter of its size, not of the server's load.
      tolerance: Number.POSITIVE_INFINITY,
      max: this.#settings.perHostConnections
    })
    const onChange = (change: GateChange) => this.#tell(host, change)
    const admission = new Admission(
      { breaker, concurrency },
      { clock: this.#ports.clock, onChange }
    )
    return { admission, breaker }
  }

  #tell(host: string, change: GateChange): void {
    const { log, metrics } = this.#ports.telemetry
    const open = change === 'breaker_opened'
    metrics.gauge('circuit_breaker_state', open ? 1 : 0, { name: 'external_download' })
    if (open) log.warn('file server failed repeatedly; downloads wait for a trial', { host })
    else log.info('file server works again', { host })
  }
}
