/** One HTTP request to the API: pooled connections, total time-out, bounded body. Knows no ClaimX. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { Pool } from 'undici'
import { redactError } from '../../http/index.ts'

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

class TooLarge extends Error {}

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
    const abort = new AbortController()
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      abort.abort()
    }, this.#options.timeoutMs)
    const onAbort = () => abort.abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      if (signal?.aborted === true) return { kind: 'aborted' }
      return await this.#exchange(request, abort.signal)
    } catch (error) {
      if (error instanceof TooLarge) return { kind: 'too_large' }
      if (signal?.aborted === true) return { kind: 'aborted' }
      return { kind: timedOut ? 'timeout' : kindOf(error), cause: redactError(error) }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Aborts what is under way. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  async #exchange(request: TransportRequest, signal: AbortSignal): Promise<TransportResult> {
    const { statusCode, headers, body } = await this.#pool.request({
      method: request.method,
      path: request.path,
      headers: this.#options.headers,
      body: request.body ?? null,
      signal
    })
    const answer = {
      kind: 'answer',
      status: statusCode,
      retryAfter: headers['retry-after']
    } as const
    if (statusCode !== 200) {
      await body.dump({ limit: 64 * 1024 })
      return { ...answer, text: '' }
    }
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > this.#options.maxBodyBytes) throw new TooLarge()
      chunks.push(chunk)
    }
    const raw = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)
    const decoded = await this.#decode(raw, headers['content-encoding'])
    return { ...answer, text: decoded.toString('utf8') }
  }

  /** Compression is not asked for, but a proxy may add it; the limit holds for the decoded bytes. */
  async #decode(raw: Buffer, encoding: string | string[] | undefined): Promise<Buffer> {
    const name = String(encoding ?? '')
      .toLowerCase()
      .trim()
    const decode = DECODERS[name]
    if (decode === undefined) return raw
    try {
      return await decode(raw, { maxOutputLength: this.#options.maxBodyBytes })
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw new TooLarge()
      throw error
    }
  }
}

type Decoder = (raw: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: promisify(gunzip) as Decoder,
  'x-gzip': promisify(gunzip) as Decoder,
  deflate: promisify(inflate) as Decoder,
  br: promisify(brotliDecompress) as Decoder
}

function kindOf(error: unknown): 'timeout' | 'broken' | 'unreachable' {
  const code = String((error as { code?: unknown }).code ?? '')
  if (NO_CONNECTION.has(code) || code.startsWith('ERR_TLS') || code.includes('CERT')) {
    return 'unreachable'
  }
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
    ? 'timeout'
    : 'broken'
}
