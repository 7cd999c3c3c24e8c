import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type HttpFilesOptions, openHttpFiles } from '../../../../src/adapters/http-files/index.ts'
import { systemClock } from '../../../../src/adapters/system/index.ts'
import { type ErrorCode, isPipelineError } from '../../../../src/core/index.ts'
import type { ResolvedAddress } from '../../../../src/http/index.ts'
import type { Clock, FileFetcher } from '../../../../src/ports/index.ts'
import { FakeClock, fakeIds, settle } from '../../../helpers/fake-clock.ts'
import { serve, type TestServer } from '../../../helpers/http-server.ts'
import { recordTelemetry } from '../../../helpers/recorded-telemetry.ts'

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(300_000)])
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

const send =
  (
    bytes: Buffer,
    headers: Record<string, string> = { 'content-type': 'image/jpeg' }
  ): RequestListener =>
  (_req, res) => {
    res.writeHead(200, { 'content-length': String(bytes.length), ...headers })
    res.end(bytes)
  }

const answer =
  (status: number, body = '', headers: Record<string, string> = {}): RequestListener =>
  (_req, res) => {
    res.writeHead(status, headers)
    res.end(body)
  }

interface Parts {
  readonly files: FileFetcher
  readonly server: TestServer
  readonly folder: string
  readonly telemetry: ReturnType<typeof recordTelemetry>
  fetch(path?: string, fileName?: string): ReturnType<FileFetcher['fetch']>
}

interface Extra {
  readonly clock?: Clock
  readonly resolve?: (host: string) => ResolvedAddress[]
}

async function withFiles(
  listener: RequestListener,
  run: (parts: Parts) => Promise<void>,
  options: Partial<HttpFilesOptions> = {},
  extra: Extra = {}
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'http-files-'))
  const telemetry = recordTelemetry()
  await using server = await serve(listener)
  const { resolve } = extra
  const files = openHttpFiles(
    {
      allowedHosts: ['files.example.com'],
      allowInsecureLocalhost: true,
      retry: { baseMs: 1, maxMs: 2 },
      ...options
    },
    {
      clock: extra.clock ?? systemClock(),
      ids: fakeIds(),
      telemetry,
      ...(resolve === undefined ? {} : { resolve: (host, done) => done(null, resolve(host)) })
    }
  )
  const fetch = (path = '/a.jpg?sign=CANARY', fileName = 'a.jpg') =>
    files.fetch({
      url: path.startsWith('/') ? `${server.url}${path}` : path,
      destination: join(folder, 'sub', 'a.jpg'),
      fileName
    })
  try {
    await run({ files, server, folder, telemetry, fetch })
  } finally {
    await files.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const refusal = (expected: ErrorCode, retryable?: boolean) => (error: unknown) => {
  assert.ok(isPipelineError(error), String(error))
  assert.equal(error.code, expected)
  if (retryable !== undefined) assert.equal(error.retryable, retryable)
  const seen = `${String(error)} ${JSON.stringify(error)} ${String(error.cause)} ${JSON.stringify(error.cause)}`
  assert.ok(!seen.includes('CANARY'), seen)
  return true
}

async function leftovers(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter(name => name !== 'sub')
}

test('stores the bytes under the final name only, with length, SHA-256 and type', async () => {
  await withFiles(send(jpeg), async ({ fetch, folder, server }) => {
    assert.deepEqual(await fetch(), {
      bytes: jpeg.length,
      sha256: sha(jpeg),
      contentType: 'image/jpeg'
    })
    assert.deepEqual(await readFile(join(folder, 'sub', 'a.jpg')), jpeg)
    assert.equal((await leftovers(folder)).length, 1)
    const headers = server.requests[0]?.headers
    assert.equal(headers?.['accept-encoding'], 'identity')
    assert.equal(headers?.authorization, undefined)
    assert.equal(headers?.cookie, undefined)
  })
})

test('streams a large file in pieces without losing one', async () => {
  const big = Buffer.concat([jpeg, randomBytes(6_000_000)])
  await withFiles(send(big, {}), async ({ fetch }) => {
    const file = await fetch()
    assert.equal(file.bytes, big.length)
    assert.equal(file.sha256, sha(big))
  })
})

test('follows up to five redirects, each checked again, without credentials', async () => {
  let hops = 0
  const listener: RequestListener = (req, res) => {
    hops += 1
    if (hops <= 5) return answer(302, '', { location: `/hop${hops}?sign=CANARY` })(req, res)
    return send(jpeg)(req, res)
  }
  await withFiles(listener, async ({ fetch, server }) => {
    assert.equal((await fetch()).bytes, jpeg.length)
    assert.ok(server.requests.every(request => request.headers.authorization === undefined))
  })
  await withFiles(answer(302, '', { location: '/again' }), async ({ fetch, folder, server }) => {
    await assert.rejects(fetch(), refusal('URL_REFUSED', false))
    assert.equal(server.requests.length, 6)
    assert.deepEqual(await leftovers(folder), [])
  })
})

test('a redirect to a host, address or scheme that is not allowed is refused unasked', async () => {
  for (const location of [
    'https://evil.example/?sign=CANARY',
    'http://169.254.169.254/latest/meta-data/',
    'http://files.example.com/a.jpg',
    'file:///etc/passwd',
    '//10.0.0.1/'
  ]) {
    await withFiles(answer(302, '', { location }), async ({ fetch, server }) => {
      await assert.rejects(fetch(), refusal('URL_REFUSED', false))
      assert.equal(server.requests.length, 1, location)
    })
  }
})

test('without the test mode localhost is refused before any request', async () => {
  await withFiles(
    send(jpeg),
    async ({ fetch, server }) => {
      await assert.rejects(fetch(), refusal('URL_REFUSED', false))
      assert.equal(server.requests.length, 0)
    },
    { allowInsecureLocalhost: false }
  )
})

test('an allowed name that resolves to a private address is refused at the connection', async () => {
  let asked = 0
  await withFiles(
    send(jpeg),
    async ({ fetch, server }) => {
      await assert.rejects(fetch('https://files.example.com/a.jpg'), refusal('URL_REFUSED', false))
      assert.equal(server.requests.length, 0)
      assert.equal(asked, 1)
    },
    {},
    {
      resolve: () => {
        asked += 1
        return [{ address: '127.0.0.1', family: 4 }]
      }
    }
  )
})

test('expired links are told apart from refusals, by status or by the words of storage', async () => {
  const cases: [RequestListener, ErrorCode][] = [
    [answer(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>'), 'DOWNLOAD_EXPIRED'],
    [answer(401), 'DOWNLOAD_EXPIRED'],
    [answer(410), 'DOWNLOAD_EXPIRED'],
    [answer(400, '<Error><Message>Request has expired</Message></Error>'), 'DOWNLOAD_EXPIRED'],
    [answer(404), 'DOWNLOAD_REJECTED'],
    [answer(400), 'DOWNLOAD_REJECTED'],
    [send(Buffer.from('<Error><Code>AccessDenied</Code></Error>'), {}), 'DOWNLOAD_EXPIRED']
  ]
  for (const [listener, expected] of cases) {
    await withFiles(listener, async ({ fetch, server, folder }) => {
      await assert.rejects(fetch(), refusal(expected, false))
      assert.equal(server.requests.length, 1)
      assert.deepEqual(await leftovers(folder), [])
    })
  }
})

test('transient failures are tried three times and leave nothing behind', async () => {
  const short: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-length': String(jpeg.length) })
    res.write(jpeg.subarray(0, 100_000))
    setImmediate(() => res.destroy())
  }
  for (const listener of [answer(500), answer(503), answer(206), send(Buffer.alloc(0)), short]) {
    await withFiles(listener, async ({ fetch, server, folder }) => {
      await assert.rejects(fetch(), refusal('DOWNLOAD_FAILED', true))
      assert.equal(server.requests.length, 3)
      assert.deepEqual(await leftovers(folder), [])
    })
  }
})

test('a download that works at the second attempt is whole', async () => {
  let calls = 0
  const listener: RequestListener = (req, res) => {
    calls += 1
    ;(calls === 1 ? answer(500) : send(jpeg))(req, res)
  }
  await withFiles(listener, async ({ fetch }) => {
    assert.equal((await fetch()).sha256, sha(jpeg))
  })
})

test('the size limit holds for what is announced and for what is read', async () => {
  const unannounced: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': 'image/jpeg' })
    res.end(jpeg)
  }
  for (const listener of [send(jpeg), unannounced]) {
    await withFiles(
      listener,
      async ({ fetch, folder, server }) => {
        await assert.rejects(fetch(), refusal('FILE_TOO_LARGE', false))
        assert.equal(server.requests.length, 1)
        assert.deepEqual(await leftovers(folder), [])
      },
      { maxFileBytes: 200_000 }
    )
  }
})

test('content, name and declared type that disagree are refused once and for all', async () => {
  const cases: [RequestListener, string][] = [
    [send(Buffer.from('<html><body>login</body></html>')), 'a.jpg'],
    [send(jpeg, { 'content-type': 'text/html' }), 'a.jpg'],
    [send(jpeg), 'a.pdf'],
    [send(jpeg), 'a.exe']
  ]
  for (const [listener, name] of cases) {
    await withFiles(listener, async ({ fetch, folder, server }) => {
      await assert.rejects(fetch(undefined, name), refusal('FILE_TYPE_REFUSED', false))
      assert.equal(server.requests.length, 1)
      assert.deepEqual(await leftovers(folder), [])
    })
  }
})

test('a silent server and a stalled body run into the time-outs', async () => {
  const stalled: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': 'image/jpeg' })
    res.write(jpeg.subarray(0, 5000))
  }
  for (const listener of [() => {}, stalled]) {
    await withFiles(
      listener,
      async ({ fetch, folder }) => {
        await assert.rejects(fetch(), refusal('DOWNLOAD_FAILED', true))
        assert.deepEqual(await leftovers(folder), [])
      },
      { totalTimeoutMs: 60, attempts: 1 }
    )
  }
})

test('an aborted download ends with its signal and leaves nothing behind', async () => {
  const stalled: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': 'image/jpeg' })
    res.write(jpeg.subarray(0, 5000))
  }
  await withFiles(stalled, async ({ files, server, folder }) => {
    const abort = new AbortController()
    const download = files.fetch({
      url: `${server.url}/a.jpg`,
      destination: join(folder, 'a.jpg'),
      fileName: 'a.jpg',
      signal: abort.signal
    })
    while ((await readdir(folder)).length === 0) await settle()
    abort.abort(new Error('stop'))
    await assert.rejects(download, /stop/)
    assert.deepEqual(await leftovers(folder), [])
  })
})

test('a disk that refuses the file is STORAGE_UNAVAILABLE, and the host is not blamed', async () => {
  await withFiles(send(jpeg), async ({ files, server, folder, fetch }) => {
    await fetch()
    const inside = join(folder, 'sub', 'a.jpg', 'below-a-file.jpg')
    const request = { url: `${server.url}/a.jpg`, destination: inside, fileName: 'a.jpg' }
    await assert.rejects(files.fetch(request), refusal('STORAGE_UNAVAILABLE', true))
    assert.equal(server.requests.length, 2)
  })
})

test('when a host is down its downloads wait for the breaker and then succeed', async () => {
  const clock = new FakeClock()
  let broken = true
  const listener: RequestListener = (req, res) =>
    (broken ? answer(503, '', { connection: 'close' }) : send(jpeg))(req, res)
  await withFiles(
    listener,
    async ({ files, server, folder, telemetry }) => {
      const downloads = Array.from({ length: 12 }, (_, i) =>
        files.fetch({
          url: `${server.url}/${i}.jpg`,
          destination: join(folder, `${i}.jpg`),
          fileName: `${i}.jpg`
        })
      )
      let done = false
      const all = Promise.all(downloads).finally(() => {
        done = true
      })
      while (!telemetry.logs.some(entry => entry.level === 'warn')) await settle()
      broken = false
      while (!done) {
        if (clock.pending > 0) await clock.advance(5000)
        else await settle()
      }
      assert.equal((await all).length, 12)
    },
    {},
    { clock }
  )
})

test('ten expired links in a row do not shut the host', async () => {
  let calls = 0
  const listener: RequestListener = (req, res) => {
    calls += 1
    ;(calls <= 30 ? answer(403) : send(jpeg))(req, res)
  }
  await withFiles(listener, async ({ fetch, telemetry }) => {
    for (let i = 0; i < 30; i += 1) await assert.rejects(fetch(), refusal('DOWNLOAD_EXPIRED'))
    assert.equal((await fetch()).bytes, jpeg.length)
    assert.deepEqual(telemetry.logs, [])
  })
})

test('close rejects what is under way', async () => {
  await withFiles(
    () => {},
    async ({ files, fetch, server }) => {
      const download = fetch()
      while (server.requests.length === 0) await settle()
      await Promise.all([assert.rejects(download), files.close()])
    }
  )
})
