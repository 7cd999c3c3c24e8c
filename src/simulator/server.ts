/** The simulator's HTTP server: ClaimX API, file service and bucket on one port. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Answers } from './answers.ts'
import { serveApi } from './api-server.ts'
import { LinkSigner } from './links.ts'
import { isMediaPath, linkFields, type MediaServerParts, serveMedia } from './media-server.ts'
import { ServerState } from './server-state.ts'
import type { Simulator, SimulatorOptions } from './types.ts'

/**
 * Starts listening; rejects with Node's error when the port is taken. The API is at `/` and at
 * `/service/cxedirest`, as deployed.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1'
  const state = new ServerState(options)
  let baseUrl = ''
  const parts: MediaServerParts = {
    world: options.world,
    state,
    signer: new LinkSigner(options.world.options.seed),
    baseUrl: () => baseUrl
  }
  const answers = new Answers(options.world, mediaId => linkFields(parts, mediaId))
  const server = createServer((request, response) => {
    void serve(parts, answers, request, response)
  })
  // Longer than clients keep idle connections, so that none is closed under a request.
  server.keepAliveTimeout = 65_000
  server.listen(options.port, host)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  baseUrl = `http://${host}:${port}`
  return {
    port,
    url: baseUrl,
    apiUrl: `${baseUrl}/service/cxedirest`,
    stats: () => state.stats(),
    close: async () => {
      state.stop()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

async function serve(
  parts: MediaServerParts,
  answers: Answers,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/health') {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end('{"status":"ok"}')
    } else if (isMediaPath(url.pathname)) {
      await serveMedia(parts, request, response, url)
    } else {
      await serveApi(parts.state, answers, request, response, url)
    }
  } catch {
    // The client went away, or the server is closing: nobody to answer.
    response.destroy()
  }
}
