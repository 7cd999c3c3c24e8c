import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { Transport } from '../../../../src/adapters/claimx-http/transport.ts'
import { serve } from '../../../helpers/http-server.ts'

function open(origin: string, timeoutMs = 10_000): Transport {
  return new Transport({ origin, connections: 1, timeoutMs, maxBodyBytes: 1024, headers: {} })
}

const request = { method: 'GET', path: '/' } as const

test('an error body without end is cut off and its status still counts', async () => {
  await using server = await serve((_req, res) => {
    res.writeHead(503, { 'retry-after': '7' })
    const more = () => {
      if (res.destroyed) return
      res.write(Buffer.alloc(16 * 1024), more)
    }
    more()
  })
  const transport = open(server.url)
  const result = await transport.send(request)
  assert.deepEqual(result, { kind: 'answer', status: 503, retryAfter: '7', text: '' })
  await transport.close()
})

test('the total time-out also ends an answer that keeps trickling', async () => {
  await using server = await serve((_req, res) => {
    res.writeHead(200)
    const timer = setInterval(() => res.write(' '), 5)
    res.on('close', () => clearInterval(timer))
  })
  const transport = open(server.url, 80)
  assert.equal((await transport.send(request)).kind, 'timeout')
  await transport.close()
})

test('a call that is aborted while another one has the only connection ends at once', async () => {
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const transport = open(`http://127.0.0.1:${port}`)
  const first = transport.send(request)
  const abort = new AbortController()
  const second = transport.send(request, abort.signal)
  abort.abort()
  assert.deepEqual(await second, { kind: 'aborted' })
  await transport.close()
  assert.equal((await first).kind, 'broken')
  await new Promise(resolve => server.close(resolve))
})
