/**
 * `FileFetcher` over HTTPS: every hop checked before the request and at the connection, content
 * streamed to a temporary file, hashed, measured and sniffed on the way.
 */
import { Agent } from 'undici'
import { isPipelineError, TransferError } from '../../core/index.ts'
import { backoffMs, type Resolve, SsrfGuard } from '../../http/index.ts'
import type {
  Clock,
  FetchedFile,
  FetchFileRequest,
  FileFetcher,
  Ids,
  Telemetry
} from '../../ports/index.ts'
import { exchange, explainsExpiry, type OpenBody } from './exchange.ts'
import { extensionOf, judge, normalType, sniff, sniffBytes } from './file-type.ts'
import { type HostGate, HostGates } from './host-gates.ts'
import { type FetchSettings, type HttpFilesOptions, settingsOf } from './options.ts'
import { PartFile } from './part-file.ts'

export interface HttpFilesPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
  /** Name resolution; the system's by default. */
  readonly resolve?: Resolve
}

/** Opens a fetcher. Makes no connection. */
export function openHttpFiles(options: HttpFilesOptions, ports: HttpFilesPorts): FileFetcher {
  return new HttpFiles(options, ports)
}

/** Failures of a host whose breaker is open are the host's, until one task has seen this many. */
const maxOutages = 10

interface Attempt {
  /** Of the host that was asked last. */
  gate: HostGate | undefined
}

class HttpFiles implements FileFetcher {
  readonly #settings: FetchSettings
  readonly #ports: HttpFilesPorts
  readonly #guard: SsrfGuard
  readonly #agent: Agent
  readonly #gates: HostGates
  readonly #closing = new AbortController()

  constructor(options: HttpFilesOptions, ports: HttpFilesPorts) {
    this.#settings = settingsOf(options)
    this.#ports = ports
    this.#guard = new SsrfGuard({
      allowedHosts: options.allowedHosts,
      allowInsecureLocalhost: options.allowInsecureLocalhost ?? false
    })
    this.#gates = new HostGates(this.#settings, ports)
    this.#agent = new Agent({
      connections: this.#settings.perHostConnections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: this.#settings.headersTimeoutMs,
      bodyTimeout: this.#settings.bodyTimeoutMs,
      connect: {
        timeout: this.#settings.connectTimeoutMs,
        lookup: this.#guard.lookup(ports.resolve)
      }
    })
  }

  async fetch(request: FetchFileRequest): Promise<FetchedFile> {
    let attempts = 0
    let outages = 0
    for (;;) {
      const attempt: Attempt = { gate: undefined }
      try {
        return await this.#attempt(request, attempt)
      } catch (error) {
        request.signal?.throwIfAborted()
        if (!isPipelineError(error) || error.code !== 'DOWNLOAD_FAILED') throw error
        if (attempt.gate?.breaker.state !== 'closed' && outages < maxOutages) {
          outages += 1
          continue
        }
        attempts += 1
        const tooLong = (error.retryAfterMs ?? 0) > this.#settings.maxRetryAfterMs
        if (attempts >= this.#settings.attempts || tooLong) throw error
        const backoff = backoffMs(this.#settings.retry, attempts, this.#ports.ids.random())
        const delay = Math.max(backoff, error.retryAfterMs ?? 0)
        await this.#ports.clock.sleep(delay, this.#signalOf(request))
      }
    }
  }

  async close(): Promise<void> {
    const error = new TransferError('DOWNLOAD_FAILED', 'the file fetcher was closed')
    this.#gates.close(error)
    this.#closing.abort(error)
    await this.#agent.destroy()
  }

  async #attempt(request: FetchFileRequest, attempt: Attempt): Promise<FetchedFile> {
    let url = this.#guard.check(request.url)
    const extension = extensionOf(request.fileName, url)
    const signal = this.#signalOf(request)
    for (let hop = 0; hop <= this.#settings.maxRedirects; hop += 1) {
      attempt.gate = this.#gates.of(url)
      const result = await exchange(
        this.#agent,
        attempt.gate,
        {
          url,
          signal,
          totalTimeoutMs: this.#settings.totalTimeoutMs,
          maxRetryAfterMs: this.#settings.maxRetryAfterMs,
          nowMs: () => this.#ports.clock.now()
        },
        open => this.#store(open, request, extension)
      )
      if (result.kind === 'done') return result.value
      url = this.#guard.check(result.location, url)
    }
    throw new TransferError('URL_REFUSED', `the download redirects too often (${url.hostname})`)
  }

  async #store(
    open: OpenBody,
    request: FetchFileRequest,
    extension: string | undefined
  ): Promise<FetchedFile> {
    const { maxFileBytes } = this.#settings
    if ((open.declaredBytes ?? 0) > maxFileBytes) throw tooLarge(maxFileBytes)
    const part = await PartFile.create(request.destination, this.#ports.ids.uuid())
    try {
      const contentType = await copy(open, part, { maxFileBytes, extension })
      return { bytes: part.bytes, sha256: await part.commit(), contentType }
    } catch (error) {
      await part.discard()
      throw error
    }
  }

  #signalOf(request: FetchFileRequest): AbortSignal {
    const closing = this.#closing.signal
    return request.signal === undefined ? closing : AbortSignal.any([request.signal, closing])
  }
}

/** Streams a body into the file; returns the type. Refuses as early as the bytes tell. */
async function copy(
  open: OpenBody,
  part: PartFile,
  limits: { readonly maxFileBytes: number; readonly extension: string | undefined }
): Promise<string | null> {
  let head: Buffer[] = []
  let contentType: string | null | undefined
  const decide = () => {
    const first = Buffer.concat(head)
    head = []
    contentType = typeOf(first, limits.extension, open.declaredType)
  }
  for await (const chunk of open.body as AsyncIterable<Buffer>) {
    if (part.bytes + chunk.length > limits.maxFileBytes) throw tooLarge(limits.maxFileBytes)
    await part.write(chunk)
    if (contentType !== undefined) continue
    head.push(chunk)
    if (part.bytes >= sniffBytes) decide()
  }
  if (part.bytes === 0) throw new TransferError('DOWNLOAD_FAILED', 'the download is empty')
  if (open.declaredBytes !== undefined && open.declaredBytes !== part.bytes) {
    throw new TransferError('DOWNLOAD_FAILED', 'the download is not as long as the server said', {
      details: { bytes: part.bytes, declaredBytes: open.declaredBytes }
    })
  }
  if (contentType === undefined) decide()
  return contentType ?? null
}

function typeOf(
  head: Buffer,
  extension: string | undefined,
  declared: string | undefined
): string | null {
  const verdict = judge(sniff(head), extension, normalType(declared))
  if (verdict.ok) return verdict.contentType
  // Storage may explain a dead link with a page and the status 200.
  if (explainsExpiry(head)) {
    throw new TransferError('DOWNLOAD_EXPIRED', 'the file server sent a notice of expiry')
  }
  throw new TransferError('FILE_TYPE_REFUSED', `the file is refused: ${verdict.why}`)
}

function tooLarge(limit: number): TransferError {
  return new TransferError('FILE_TOO_LARGE', `the file is larger than ${limit} bytes`)
}
