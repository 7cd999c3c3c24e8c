/** The API half of the server: routing, authentication, hidden limit, faults (E1 to E8). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isJsonObject, type JsonValue, parseJson, stringifyJson } from '../core/index.ts'
import type { Answers } from './answers.ts'
import type { ApiFault } from './faults.ts'
import type { ServerState } from './server-state.ts'

interface Call {
  readonly endpoint: string
  /** What is asked for: an id. */
  readonly key: string
  /** Undefined: 404. */
  readonly answer: () => JsonValue | undefined
}

type Routed = Call | { readonly status: number; readonly message: string }

export async function serveApi(
  state: ServerState,
  answers: Answers,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL
): Promise<void> {
  const body = await readBody(request)
  const routed = route(answers, request.method ?? 'GET', url, body)
  if ('status' in routed) return sendError(state, response, routed.status, routed.message)
  const key = `${routed.endpoint}:${routed.key}`
  state.asked(routed.endpoint, key)
  if (state.limit?.take(state.elapsedMs()) === false) {
    state.throttled++
    response.setHeader('Retry-After', '1')
    return sendError(state, response, 429, 'Too many requests')
  }
  const refused = state.faults.unauthorized(state.elapsedMs())
  if (refused || !authorized(request, state.token)) {
    response.setHeader('WWW-Authenticate', 'Basic realm="claimx"')
    return sendError(state, response, 401, 'Unauthorized')
  }
  if (state.latencyMs > 0) await state.wait(state.latencyMs)
  if (state.faults.throttled(state.elapsedMs())) return throttle(state, response, key)
  const fault = state.faults.api(key)
  if (fault !== undefined && fault !== 'slow') return fail(state, response, fault, routed, key)
  if (fault === 'slow') await state.wait(state.slowMs(key))
  const value = routed.answer()
  if (value === undefined) return sendError(state, response, 404, `${routed.key} not found`)
  sendJson(state, response, 200, value)
}

function authorized(request: IncomingMessage, token: string): boolean {
  return request.headers.authorization === `Basic ${token}`
}

function route(answers: Answers, method: string, url: URL, body: string): Routed {
  const path = url.pathname.replace(/^\/service\/cxedirest/, '')
  if (method === 'POST' && path === '/data') return report(answers, body)
  if (method !== 'GET') return { status: 405, message: 'Method not allowed' }
  if (path === '/export/project/projectId') {
    const number = url.searchParams.get('projectNumber') ?? ''
    return { endpoint: 'E2', key: number, answer: () => answers.projectIdByNumber(number) }
  }
  const task = /^\/customTasks\/assignment\/(\d+)$/.exec(path)?.[1]
  if (task !== undefined) {
    if (url.searchParams.get('full') !== 'true') {
      return { status: 400, message: 'full=true expected' }
    }
    return { endpoint: 'E6', key: task, answer: () => answers.task(Number(task)) }
  }
  const [, id, list] =
    /^\/export\/project\/(\d+)(?:\/(media|contacts|conversations))?$/.exec(path) ?? []
  if (id === undefined) return { status: 404, message: 'No such resource' }
  const number = Number(id)
  switch (list) {
    case 'media': {
      const wanted = wantedIds(url.searchParams.get('mediaIds'))
      return { endpoint: 'E3', key: id, answer: () => answers.media(number, wanted) }
    }
    case 'contacts':
      return { endpoint: 'E4', key: id, answer: () => answers.contacts(number) }
    case 'conversations':
      return { endpoint: 'E5', key: id, answer: () => answers.conversations(number) }
    default:
      return { endpoint: 'E1', key: id, answer: () => answers.project(number) }
  }
}

/** An empty list means no list: the API then answers with the whole project. */
function wantedIds(text: string | null): number[] | undefined {
  if (text === null || text === '') return undefined
  return text.split(',').filter(Boolean).map(Number).filter(Number.isInteger)
}

function report(answers: Answers, body: string): Routed {
  let request: JsonValue
  try {
    request = parseJson(body)
  } catch {
    return { status: 400, message: 'Body is not JSON' }
  }
  if (!isJsonObject(request)) return { status: 400, message: 'Body is not an object' }
  const { reportType, projectId, senderUsername } = request
  if (typeof projectId !== 'number' || !Number.isInteger(projectId)) {
    return { status: 400, message: 'projectId must be an integer' }
  }
  if (typeof senderUsername !== 'string' || senderUsername === '') {
    return { status: 400, message: 'senderUsername is missing' }
  }
  const key = String(projectId)
  if (reportType === 'CUSTOM_TASK_HIGH_LEVEL') {
    return { endpoint: 'E7', key, answer: () => answers.projectTasks(projectId) }
  }
  if (reportType === 'VIDEO_COLLABORATION') {
    return { endpoint: 'E8', key, answer: () => answers.videos(projectId) }
  }
  return { status: 400, message: 'Unknown reportType' }
}

/** `Retry-After` in both of its forms. */
function throttle(state: ServerState, response: ServerResponse, key: string): void {
  const asDate = state.faults.fraction(`${key} date`) < 0.2
  const date = new Date(Date.now() + 1000).toUTCString()
  response.setHeader('Retry-After', asDate ? date : '1')
  sendError(state, response, 429, 'Too many requests')
}

const htmlPage = '<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>'

function fail(
  state: ServerState,
  response: ServerResponse,
  fault: Exclude<ApiFault, 'slow'>,
  call: Call,
  key: string
): void {
  switch (fault) {
    case 'server_error':
      sendError(state, response, 500, 'java.lang.NullPointerException')
      break
    case 'bad_gateway':
      sendHtml(state, response, 502)
      break
    case 'unavailable':
      sendHtml(state, response, 503)
      break
    case 'html':
      sendHtml(state, response, 200)
      break
    case 'wrong_root':
      sendJson(state, response, 200, 'maintenance')
      break
    case 'reset':
      state.answered('reset')
      response.socket?.destroy()
      return
    case 'truncated': {
      const text = stringifyJson(call.answer() ?? { data: [] })
      const half = Buffer.from(text).subarray(0, Math.max(1, text.length >> 1))
      state.answered('200')
      response.writeHead(200, { 'Content-Type': 'application/json' })
      if (state.faults.fraction(`${key} cut`) < 0.5) response.end(half)
      else response.write(half, () => response.socket?.destroy())
    }
  }
}

function sendJson(
  state: ServerState,
  response: ServerResponse,
  status: number,
  value: JsonValue
): void {
  const body = Buffer.from(stringifyJson(value))
  state.answered(String(status))
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': body.length
  })
  response.end(body)
}

function sendError(
  state: ServerState,
  response: ServerResponse,
  status: number,
  message: string
): void {
  sendJson(state, response, status, { status, message })
}

function sendHtml(state: ServerState, response: ServerResponse, status: number): void {
  state.answered(String(status))
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' })
  response.end(htmlPage)
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    text += chunk
    if (text.length > 1_000_000) break
  }
  return text
}
