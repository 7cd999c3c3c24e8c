/** An HTTP proxy before the simulator's API that a test can make fail as a whole. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ProxyMode = 'open' | 'unauthorized' | 'down'

export interface ApiProxy {
  readonly url: string
  mode: ProxyMode
  /** Where calls go; the path of the client is kept. */
  target: string
  /** Requests answered by the proxy itself. */
  refused: number
  close(): Promise<void>
}

export async function startApiProxy(): Promise<ApiProxy> {
  const server = createServer((incoming, answer) => {
    if (proxy.mode !== 'open') {
      proxy.refused += 1
      incoming.resume()
      answer.writeHead(proxy.mode === 'down' ? 503 : 401).end()
      return
    }
    const { method, headers, url } = incoming
    const { host: _, ...kept } = headers
    const onward = request(
      new URL(url ?? '/', proxy.target),
      { headers: kept, ...(method === undefined ? {} : { method }) },
      reply => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(answer)
      }
    )
    onward.on('error', () => answer.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const proxy: ApiProxy = {
    url: `http://127.0.0.1:${port}`,
    mode: 'open',
    target: '',
    refused: 0,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
  return proxy
}
