/** One HTTP request to the API: pooled connections, total time-out, bounded body. Knows no ClaimX. */

import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { Pool } from 'undici'
import { redactError } from '../../core/index.ts'
import { type Received, Receiver, TooLarge } from './receiver.ts'

export interface TransportOptions {
  readonly origin: string
  readonly connections: number
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  readonly headers: Readonly<Record<string, string>>
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

export type TransportResult =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly retryAfter: string | string[] | undefined
      /** Decoded text of a 200; empty for any other status, whose body is dropped unread. */
      readonly text: string
    }
  | { readonly kind: 'too_large' }
  /** `unreachable`: no connection was made, so the failure says nothing about this request. */
  | { readonly kind: 'timeout' | 'broken' | 'unreachable'; readonly cause: Error }
  | { readonly kind: 'aborted' }

const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT'
])

class TimedOut extends Error {}
class Aborted extends Error {}

export class Transport {
  readonly #options: TransportOptions
  readonly #pool: Pool

  constructor(options: TransportOptions) {
    this.#options = options
    this.#pool = new Pool(options.origin, {
      connections: options.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      connect: { timeout: options.timeoutMs }
    })
  }

  /** Never rejects. */
  async send(request: TransportRequest, signal?: AbortSignal): Promise<TransportResult> {
    if (signal?.aborted === true) return { kind: 'aborted' }
    try {
      return await this.#read(await this.#exchange(request, signal))
    } catch (error) {
      if (error instanceof TooLarge) return { kind: 'too_large' }
      if (error instanceof Aborted) return { kind: 'aborted' }
      return { kind: kindOf(error), cause: redactError(error) }
    }
  }

  /** Aborts what is under way. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #exchange(request: TransportRequest, signal: AbortSignal | undefined): Promise<Received> {
    const { timeoutMs, maxBodyBytes, headers } = this.#options
    return new Promise((resolve, reject) => {
      const onAbort = () => receiver.abort(new Aborted('aborted'))
      const timer = setTimeout(() => receiver.abort(new TimedOut('timed out')), timeoutMs)
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const receiver = new Receiver(
        maxBodyBytes,
        received => {
          done()
          resolve(received)
        },
        error => {
          done()
          reject(error)
        }
      )
      signal?.addEventListener('abort', onAbort, { once: true })
      const { method, path, body = null } = request
      this.#pool.dispatch({ method, path, headers, body }, receiver)
    })
  }

  async #read({ status, headers, body }: Received): Promise<TransportResult> {
    const answer = { kind: 'answer', status, retryAfter: headers['retry-after'] } as const
    if (status !== 200) return { ...answer, text: '' }
    const decode = DECODERS[encodingOf(headers['content-encoding'])]
    const decoded = decode === undefined ? body : await this.#decode(body, decode)
    return { ...answer, text: decoded.toString('utf8') }
  }

  /** Compression is not asked for, but a proxy may add it; the limit holds for the decoded bytes. */
  async #decode(raw: Buffer, decode: Decoder): Promise<Buffer> {
    try {
      return await decode(raw, { maxOutputLength: this.#options.maxBodyBytes })
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw new TooLarge()
      throw error
    }
  }
}

function encodingOf(header: string | string[] | undefined): string {
  return header === undefined ? '' : String(header).toLowerCase().trim()
}

type Decoder = (raw: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: promisify(gunzip) as Decoder,
  'x-gzip': promisify(gunzip) as Decoder,
  deflate: promisify(inflate) as Decoder,
  br: promisify(brotliDecompress) as Decoder
}

function kindOf(error: unknown): 'timeout' | 'broken' | 'unreachable' {
  if (error instanceof TimedOut) return 'timeout'
  const code = String((error as { code?: unknown }).code ?? '')
  if (NO_CONNECTION.has(code) || code.startsWith('ERR_TLS') || code.includes('CERT')) {
    return 'unreachable'
  }
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
    ? 'timeout'
    : 'broken'
}
