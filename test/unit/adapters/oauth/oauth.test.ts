import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { clientCredentialsToken, fileToken } from '../../../../src/adapters/oauth/index.ts'
import { isPipelineError } from '../../../../src/core/index.ts'
import { FakeClock } from '../../../helpers/fake-clock.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly body: string
}

async function withEndpoint(
  answer: (asked: number) => { status: number; body: string },
  use: (endpoint: string, asked: Asked[]) => Promise<void>
): Promise<void> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body })
      const { status, body: text } = answer(asked.length)
      response.writeHead(status).end(text)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    await use(`http://127.0.0.1:${port}/token`, asked)
  } finally {
    server.close()
  }
}

const client = { clientId: 'me', clientSecret: 'hush:hush', scope: 'kafka' }

describe('a token by the client credentials flow', () => {
  it('is asked for with id, secret and scope, kept, and asked for anew before it ends', async () => {
    const answer = (asked: number) => ({
      status: 200,
      body: JSON.stringify({ access_token: `token-${asked}`, expires_in: 100 })
    })
    await withEndpoint(answer, async (endpoint, asked) => {
      const clock = new FakeClock()
      const token = clientCredentialsToken({ ...client, endpoint }, clock)
      assert.equal(await token(), 'token-1')
      await clock.advance(79_000)
      assert.equal(await token(), 'token-1')
      await clock.advance(2000)
      assert.equal(await token(), 'token-2')
      const basic = Buffer.from('me:hush%3Ahush').toString('base64')
      assert.equal(asked[0]?.authorization, `Basic ${basic}`)
      assert.equal(asked[0]?.body, 'grant_type=client_credentials&scope=kafka')
    })
  })

  for (const [what, status, body] of [
    ['an answer that refuses', 401, '{"error":"invalid_client"}'],
    ['an answer without a token', 200, '{}'],
    ['an answer that is no JSON', 200, '<html>']
  ] as const) {
    it(`is not to be had of ${what}; the error names the host and no secret`, async () => {
      await withEndpoint(
        () => ({ status, body }),
        async endpoint => {
          const token = clientCredentialsToken({ ...client, endpoint }, new FakeClock())
          await assert.rejects(token(), error => {
            assert.ok(isPipelineError(error))
            assert.equal(error.code, 'BROKER_ACCESS')
            assert.match(error.message, /127\.0\.0\.1/)
            assert.doesNotMatch(`${error.message}${String(error.cause)}`, /hush/)
            return true
          })
        }
      )
    })
  }
})

describe('a token from a file', () => {
  it('is read anew each time, and missing or empty files are told of', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'token-'))
    try {
      const path = join(directory, 'token')
      const token = fileToken(path)
      await assert.rejects(token(), /cannot be read/)
      writeFileSync(path, 'one\n')
      assert.equal(await token(), 'one')
      writeFileSync(path, 'two')
      assert.equal(await token(), 'two')
      writeFileSync(path, ' ')
      await assert.rejects(token(), /is empty/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
