/** The file half of the server: the file service's redirect and the S3 bucket behind it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import type { JsonObject } from '../core/index.ts'
import type { DownloadFault } from './faults.ts'
import type { LinkSigner, LinkVerdict } from './links.ts'
import type { ServerState } from './server-state.ts'
import type { MediaFile, World } from './types.ts'

/** How long the link of a redirect lasts. */
const REDIRECT_MS = 300_000

export interface MediaServerParts {
  readonly world: World
  readonly state: ServerState
  readonly signer: LinkSigner
  readonly baseUrl: () => string
}

/** `fullDownloadLink` and, mostly, `expiresAt` of a media item. */
export function linkFields(parts: MediaServerParts, mediaId: number): JsonObject {
  const { world, state, signer } = parts
  const file = world.mediaFile(mediaId)
  if (file === undefined || !file.hasLink) return { fullDownloadLink: null }
  let signed = Date.now()
  let lifetime = state.linkLifetimeMs
  if (state.faults.shortLink(`L:${file.uuid}`)) {
    // Half of them have expired already, the others expire while they wait in a queue.
    if (mediaId % 2 === 0) signed -= 2 * lifetime
    else lifetime = Math.min(lifetime, 2_000)
  }
  const base = parts.baseUrl()
  const link = file.direct
    ? signer.s3(base, file, signed, lifetime)
    : signer.fileService(base, file, signed, lifetime)
  return file.expiryTold
    ? { fullDownloadLink: link, expiresAt: new Date(signed + lifetime).toISOString() }
    : { fullDownloadLink: link }
}

export function isMediaPath(path: string): boolean {
  return path.startsWith('/service/cxfileservice/') || path.startsWith('/s3/')
}

export async function serveMedia(
  parts: MediaServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL
): Promise<void> {
  const { state, world, signer } = parts
  request.resume()
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendXml(state, response, 405, 'MethodNotAllowed', 'Not allowed against this resource.')
  }
  const first = /^\/service\/cxfileservice\/get\/([0-9a-f-]{36})$/.exec(url.pathname)?.[1]
  const stored = /^\/s3\/[\w-]+\/\d+\/([0-9a-f-]{36})\.\w+$/.exec(url.pathname)?.[1]
  const uuid = first ?? stored
  const file = uuid === undefined ? undefined : world.mediaFileByUuid(uuid)
  if (uuid === undefined || file === undefined) {
    return sendXml(state, response, 404, 'NoSuchKey', 'The specified key does not exist.')
  }
  if (stored !== undefined && request.headers.authorization !== undefined) {
    const message = 'Only one auth mechanism allowed'
    return sendXml(state, response, 400, 'InvalidArgument', message)
  }
  const verdict =
    first !== undefined
      ? signer.checkFileService(uuid, url.searchParams, Date.now())
      : signer.checkS3(uuid, url.searchParams, Date.now())
  if (verdict !== 'good') return refuse(state, response, verdict)
  const key = `D:${uuid}`
  const fault = state.faults.download(key, file.direct ? 1 : 2)
  if (fault === 'slow') await state.wait(state.slowMs(key))
  else if (fault !== undefined) return fail(parts, response, fault, file, first !== undefined)
  if (first !== undefined) return redirect(parts, response, file)
  sendFile(parts, request.method === 'HEAD', response, file, key)
}

function refuse(
  state: ServerState,
  response: ServerResponse,
  verdict: Exclude<LinkVerdict, 'good'>
): void {
  const [code, message] =
    verdict === 'expired'
      ? ['AccessDenied', 'Request has expired']
      : ['SignatureDoesNotMatch', 'The request signature does not match the one you provided.']
  sendXml(state, response, 403, code, message)
}

function redirect(parts: MediaServerParts, response: ServerResponse, file: MediaFile): void {
  const location = parts.signer.s3(parts.baseUrl(), file, Date.now(), REDIRECT_MS)
  parts.state.answered('302')
  response.writeHead(302, { Location: location, 'Content-Length': 0 })
  response.end()
}

function fail(
  parts: MediaServerParts,
  response: ServerResponse,
  fault: Exclude<DownloadFault, 'slow'>,
  file: MediaFile,
  atFileService: boolean
): void {
  const { state } = parts
  switch (fault) {
    case 'expired':
      refuse(state, response, 'expired')
      break
    case 'unavailable':
      sendXml(state, response, 503, 'SlowDown', 'Please reduce your request rate.')
      break
    case 'server_error':
      sendXml(state, response, 500, 'InternalError', 'We encountered an internal error.')
      break
    case 'reset':
      reset(state, response)
      break
    case 'truncated':
      if (atFileService) reset(state, response)
      else sendPart(parts, response, file)
      break
  }
}

function reset(state: ServerState, response: ServerResponse): void {
  state.answered('reset')
  response.socket?.destroy()
}

function fileHeaders(file: MediaFile): Record<string, string | number> {
  return {
    'Content-Type': file.contentType,
    'Content-Length': file.size,
    'Accept-Ranges': 'bytes',
    ETag: `"${file.uuid}"`
  }
}

/** Promises the whole file and breaks off in the middle. */
function sendPart(parts: MediaServerParts, response: ServerResponse, file: MediaFile): void {
  parts.state.answered('200')
  response.writeHead(200, fileHeaders(file))
  let left = file.size >> 1
  for (const chunk of parts.world.mediaChunks(file.mediaId)) {
    if (left <= 0) break
    response.write(chunk.subarray(0, left))
    left -= chunk.length
  }
  response.write('', () => response.socket?.destroy())
}

/** Chunks are slices of shared memory: writing them all at once copies nothing. */
function sendFile(
  parts: MediaServerParts,
  headOnly: boolean,
  response: ServerResponse,
  file: MediaFile,
  key: string
): void {
  const { state, world } = parts
  state.answered('200')
  response.writeHead(200, fileHeaders(file))
  if (headOnly) {
    response.end()
    return
  }
  finished(response, error => {
    if (error) return
    state.faults.delivered(key)
    state.downloads++
    state.bytes += file.size
  })
  response.cork()
  for (const chunk of world.mediaChunks(file.mediaId)) response.write(chunk)
  response.end()
  response.uncork()
}

function sendXml(
  state: ServerState,
  response: ServerResponse,
  status: number,
  code: string,
  message: string
): void {
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
  )
  state.answered(String(status))
  response.writeHead(status, {
    'Content-Type': 'application/xml',
    'Content-Length': body.length
  })
  response.end(body)
}
