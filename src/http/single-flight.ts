/**
 * Identical calls share one execution, only while it is under way: nothing is kept afterwards, so a
 * caller never gets an answer older than the call it joined. The shared work is aborted when every
 * caller has gone, not when the first one goes.
 */
interface Flight<T> {
  readonly result: Promise<T>
  readonly abort: AbortController
  callers: number
}

export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()
  #shared = 0

  /** Callers so far that joined a call under way. */
  get shared(): number {
    return this.#shared
  }

  /** `joined` is true for a caller that shared another's call. */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal
  ): Promise<{ value: T; joined: boolean }> {
    signal?.throwIfAborted()
    let flight = this.#flights.get(key)
    const joined = flight !== undefined
    if (flight === undefined) flight = this.#start(key, work)
    else this.#shared += 1
    flight.callers += 1
    const value = await (signal === undefined
      ? flight.result
      : this.#untilAborted(key, flight, signal))
    return { value, joined }
  }

  /** Aborts everything under way; callers get what the work makes of it. */
  abortAll(reason: Error): void {
    for (const flight of this.#flights.values()) flight.abort.abort(reason)
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController()
    const flight: Flight<T> = { abort, callers: 0, result: work(abort.signal) }
    this.#flights.set(key, flight)
    const forget = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    flight.result.then(forget, forget)
    return flight
  }

  #untilAborted(key: string, flight: Flight<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        flight.callers -= 1
        if (flight.callers === 0) {
          if (this.#flights.get(key) === flight) this.#flights.delete(key)
          flight.abort.abort(signal.reason)
        }
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const done = () => signal.removeEventListener('abort', onAbort)
      flight.result.then(
        value => {
          done()
          resolve(value)
        },
        (error: unknown) => {
          done()
          reject(error)
        }
      )
    })
  }
}
