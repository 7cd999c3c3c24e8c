/**
 * Where commands read and write: streams, size, colours, signals. Passed in, so that tests see exactly
 * what a person would.
 */
import type { Writable } from 'node:stream'

export interface Terminal {
  readonly stdout: Writable
  readonly stderr: Writable
  /** Standard output is a terminal that can be redrawn. */
  readonly interactive: boolean
  /** Columns of standard output; 80 when it is not a terminal. */
  readonly width: number
  readonly errInteractive: boolean
  /** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
  readonly stopSignal: AbortSignal
}

/** Writes and waits while the stream is full, so that large outputs stay bounded. */
export async function write(stream: Writable, text: string): Promise<void> {
  if (stream.write(text) || stream.destroyed) return
  await new Promise<void>(resolve => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

export async function writeLine(stream: Writable, text: string): Promise<void> {
  await write(stream, `${text}\n`)
}

/** Values as JSON, `bigint` as a bare integer, two spaces of indentation. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner: unknown) =>
      typeof inner === 'bigint'
        ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(inner))
        : inner,
    2
  )
}
