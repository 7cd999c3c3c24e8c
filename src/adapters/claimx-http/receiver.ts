/**
 * Takes one answer from a connection, chunk by chunk. A handler of undici instead of its streams, because
 * a small answer costs less than the stream and the abort signal around it.
 */
import type { Dispatcher } from 'undici'

export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Of a 200; empty for any other status, whose body is dropped. */
  readonly body: Buffer
}

/** The answer is larger than allowed. */
export class TooLarge extends Error {}

/** Rest of an unwanted body that is read so that the connection can be used again. */
const drainBytes = 64 * 1024

export class Receiver implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number
  readonly #resolve: (received: Received) => void
  readonly #reject: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #aborted: Error | undefined
  #status = 0
  #headers: Received['headers'] = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(
    maxBytes: number,
    resolve: (received: Received) => void,
    reject: (error: Error) => void
  ) {
    this.#maxBytes = maxBytes
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Rejects at once, also while there is no connection yet. */
  abort(reason: Error): void {
    this.#aborted = reason
    this.#reject(reason)
    this.#controller?.abort(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted !== undefined) controller.abort(this.#aborted)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Received['headers']
  ): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#status === 200) {
      if (this.#bytes > this.#maxBytes) this.abort(new TooLarge())
      else this.#chunks.push(chunk)
    } else if (this.#bytes > drainBytes) {
      this.#finish()
      this.abort(new TooLarge())
    }
  }

  onResponseEnd(): void {
    this.#finish()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error)
  }

  #finish(): void {
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }
}
