/**
 * Child process of `bench/api-client.ts`: an API that answers after a fixed latency and may refuse calls
 * beyond a limit that nobody is told. Reports what it accepted and refused, by time, when asked.
 */
import { createServer } from 'node:http'

interface Phase {
  readonly perSecond: number
  readonly seconds: number
}

type Order =
  | { readonly do: 'limit'; readonly phases: readonly Phase[]; readonly burstSeconds: number }
  | { readonly do: 'free' }
  | { readonly do: 'report' }

/** Of an answer as its caller sees it; a timer fires up to a millisecond late. */
const latencyMs = Number(process.argv[2] ?? '20')
let phases: readonly Phase[] = []
let burstSeconds = 1
let startedAt = 0
let tokens = 0
let refilledAt = 0
let accepted: number[] = []
let refused: number[] = []

const server = createServer((req, res) => {
  req.resume()
  const now = performance.now()
  const ok = admit(now)
  if (startedAt > 0) (ok ? accepted : refused).push(now - startedAt)
  setTimeout(
    () => {
      res.writeHead(ok ? 200 : 429, {
        'content-type': 'application/json',
        ...(ok ? {} : { 'retry-after': '1' })
      })
      res.end(ok ? '{"data":{"project":{"projectId":1},"teamMembers":[],"companyName":"x"}}' : '')
    },
    Math.max(0, latencyMs - 1)
  )
})

function admit(now: number): boolean {
  if (phases.length === 0) return true
  if (startedAt === 0) startedAt = now
  const limit = limitAt(now - startedAt)
  const capacity = Math.max(1, limit * burstSeconds)
  tokens = Math.min(capacity, tokens + ((now - refilledAt) / 1000) * limit)
  refilledAt = now
  if (tokens < 1) return false
  tokens -= 1
  return true
}

function limitAt(ms: number): number {
  let end = 0
  for (const phase of phases) {
    end += phase.seconds * 1000
    if (ms < end) return phase.perSecond
  }
  return phases.at(-1)?.perSecond ?? Number.POSITIVE_INFINITY
}

process.on('message', (order: Order) => {
  if (order.do === 'report') {
    process.send?.({ accepted, refused })
    return
  }
  phases = order.do === 'limit' ? order.phases : []
  burstSeconds = order.do === 'limit' ? order.burstSeconds : 1
  tokens = (phases[0]?.perSecond ?? 0) * burstSeconds
  startedAt = 0
  refilledAt = performance.now()
  accepted = []
  refused = []
})

process.on('disconnect', () => process.exit())
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 })
})
