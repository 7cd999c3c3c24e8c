import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import {
  type ClaimxHttpOptions,
  openClaimxHttp
} from '../../../../src/adapters/claimx-http/index.ts'
import { systemClock } from '../../../../src/adapters/system/index.ts'
import { isPipelineError } from '../../../../src/core/index.ts'
import type { ClaimxApi, Clock } from '../../../../src/ports/index.ts'
import { FakeClock, fakeIds, settle } from '../../../helpers/fake-clock.ts'
import { serve, type TestServer } from '../../../helpers/http-server.ts'
import { recordTelemetry } from '../../../helpers/recorded-telemetry.ts'

type Reply = (req: IncomingMessage, res: ServerResponse, body: string) => void

const json =
  (value: unknown, status = 200): Reply =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json' })
    res.end(typeof value === 'string' ? value : JSON.stringify(value))
  }

const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (_req, res) => {
    res.writeHead(code, headers)
    res.end('an error body with a CANARY')
  }

/** Answers with one reply after the other; the last one repeats. */
function inTurn(...replies: Reply[]): Reply {
  let next = 0
  return (req, res, body) => {
    const reply = replies[Math.min(next, replies.length - 1)]
    next += 1
    reply?.(req, res, body)
  }
}

async function withApi(
  reply: Reply,
  run: (parts: {
    api: ClaimxApi
    server: TestServer
    bodies: string[]
    telemetry: ReturnType<typeof recordTelemetry>
  }) => Promise<void>,
  options: Partial<ClaimxHttpOptions> = {},
  clock: Clock = systemClock()
): Promise<void> {
  const bodies: string[] = []
  await using server = await serve((req, res) => {
    let body = ''
    req.on('data', chunk => {
      body += chunk
    })
    req.on('end', () => {
      bodies.push(body)
      reply(req, res, body)
    })
  })
  const telemetry = recordTelemetry()
  const api = openClaimxHttp(
    {
      baseUrl: `${server.url}/base/`,
      token: 'Basic dG9rZW4=',
      retry: { baseMs: 1, maxMs: 2 },
      throttledHoldMs: 1,
      ...options
    },
    { clock, ids: fakeIds(), telemetry }
  )
  try {
    await run({ api, server, bodies, telemetry })
  } finally {
    await api.close()
  }
}

const code = (expected: string) => (error: unknown) =>
  isPipelineError(error) && error.code === expected

/** Moves a fake clock until the promise is settled. */
async function drive<T>(clock: FakeClock, promise: Promise<T>, stepMs = 1000): Promise<T> {
  let done = false
  const mark = () => {
    done = true
  }
  promise.then(mark, mark)
  for (let i = 0; !done && i < 100_000; i += 1) {
    if (clock.pending > 0) await clock.advance(stepMs)
    else await settle()
  }
  return promise
}

test('sends the documented headers and strips one Basic prefix of the token', async () => {
  await withApi(json({ project: { projectId: 7 } }), async ({ api, server }) => {
    await api.getProject('7')
    const request = server.requests[0]
    assert.equal(request?.url, '/base/export/project/7')
    assert.equal(request?.headers.authorization, 'Basic dG9rZW4=')
    assert.equal(request?.headers.accept, 'application/json')
    assert.equal(request?.headers['content-type'], 'application/json')
  })
})

test('refuses to start without a usable base URL or token', () => {
  const ports = { clock: systemClock(), ids: fakeIds(), telemetry: recordTelemetry() }
  for (const options of [
    { baseUrl: '', token: 'x' },
    { baseUrl: 'ftp://h', token: 'x' },
    { baseUrl: 'h.example', token: 'x' },
    { baseUrl: 'https://u:p@h.example', token: 'x' },
    { baseUrl: 'https://h.example', token: '' },
    { baseUrl: 'https://h.example', token: 'Basic ' },
    { baseUrl: 'https://h.example', token: 'a\nb' },
    { baseUrl: 'https://h.example', token: 'x', maxConcurrent: 0 }
  ]) {
    assert.throws(() => openClaimxHttp(options, ports), code('CONFIG_INVALID'))
  }
})

test('E1 accepts wrapped, bare and degenerate answers and falls back to the requested id', async () => {
  const member = { userName: 'a@b.example' }
  const cases: [unknown, unknown][] = [
    [
      { data: { project: { projectId: 5, x: 1 }, teamMembers: [member], companyName: 'C' } },
      { project: { projectId: 5, x: 1 }, teamMembers: [member], companyName: 'C' }
    ],
    [
      { project: { projectId: 5 }, teamMembers: null },
      { project: { projectId: 5 }, teamMembers: [], companyName: null }
    ],
    [{ teamMembers: [] }, { project: { projectId: 7 }, teamMembers: [], companyName: null }],
    [{ data: {} }, { project: { projectId: 7 }, teamMembers: [], companyName: null }],
    [
      { data: { project: null, companyName: 'C' } },
      { project: { projectId: 7 }, teamMembers: [], companyName: 'C' }
    ]
  ]
  for (const [answer, expected] of cases) {
    await withApi(json(answer), async ({ api }) => {
      assert.deepEqual((await api.getProject('7')).value, expected)
    })
  }
})

test('keeps integers beyond 2^53 exact', async () => {
  await withApi(json('{"project":{"projectId":90071992547409931}}'), async ({ api }) => {
    assert.equal((await api.getProject('7')).value.project['projectId'], 90071992547409931n)
  })
})

test('E2 reads a number or an object; 404 and other shapes mean none', async () => {
  const cases: [Reply, string | undefined][] = [
    [json('123'), '123'],
    [json({ projectId: 5 }), '5'],
    [json({ id: 6 }), '6'],
    [json({ other: 6 }), undefined],
    [json('null'), undefined],
    [json([]), undefined],
    [status(404), undefined]
  ]
  for (const [reply, expected] of cases) {
    await withApi(reply, async ({ api, server }) => {
      assert.equal((await api.findProjectId('A/1 &')).value, expected)
      assert.equal(
        server.requests[0]?.url,
        '/base/export/project/projectId?projectNumber=A%2F1%20%26'
      )
    })
  }
})

test('E3 accepts every envelope and matches ids by integer value under all spellings', async () => {
  const one = { mediaID: 11, mediaName: 'a.jpg' }
  for (const answer of [
    [one],
    { data: [one] },
    { media: [one] },
    one,
    { data: one },
    { data: { media: [one] } }
  ]) {
    await withApi(json(answer), async ({ api }) => {
      assert.deepEqual((await api.getMedia('7', ['011', '11', 'x'])).value, [one])
    })
  }
  const many = [{ mediaId: 1 }, { media_id: '2' }, { id: 3 }, { mediaID: 4 }, { mediaID: 99 }]
  await withApi(json({ data: many }), async ({ api }) => {
    const { value } = await api.getMedia('7', ['3', '1', '2'])
    assert.deepEqual(value, [{ mediaId: 1 }, { media_id: '2' }, { id: 3 }])
  })
  for (const empty of [[], { data: [] }, { data: null }, null]) {
    await withApi(json(JSON.stringify(empty)), async ({ api }) => {
      assert.deepEqual((await api.getMedia('7', 'all')).value, [])
    })
  }
})

test('E3 asks for up to five ids by name, for six and more for the list, for none not at all', async () => {
  await withApi(json([]), async ({ api, server }) => {
    await api.getMedia('7', ['1', '2', '3', '4', '5', '05', 'five'])
    await api.getMedia('7', ['1', '2', '3', '4', '5', '6'])
    await api.getMedia('7', 'all')
    const none = await api.getMedia('7', ['x', ''])
    assert.equal(none.calls, 0)
    assert.deepEqual(
      server.requests.map(request => request.url),
      [
        '/base/export/project/7/media?mediaIds=1,2,3,4,5',
        '/base/export/project/7/media',
        '/base/export/project/7/media'
      ]
    )
  })
})

test('E4 to E8 unwrap their envelopes', async () => {
  await withApi(json({ contacts: [{ a: 1 }] }), async ({ api }) => {
    assert.deepEqual((await api.getContacts('7')).value, [{ a: 1 }])
  })
  await withApi(json({ conversations: [{ a: 1 }] }), async ({ api }) => {
    assert.deepEqual((await api.getConversations('7')).value, [{ a: 1 }])
  })
  for (const answer of [{ taskId: 3 }, { data: { taskId: 3 } }]) {
    await withApi(json(answer), async ({ api, server }) => {
      assert.deepEqual((await api.getTask('9')).value, { taskId: 3, assignmentId: 9 })
      assert.equal(server.requests[0]?.url, '/base/customTasks/assignment/9?full=true')
    })
  }
  await withApi(json({ success: true }), async ({ api, bodies }) => {
    assert.deepEqual((await api.getProjectTasks('7')).value, [])
    assert.deepEqual(JSON.parse(bodies[0] ?? ''), {
      reportType: 'CUSTOM_TASK_HIGH_LEVEL',
      projectId: 7,
      senderUsername: 'user@example.com'
    })
  })
  const video = { videoCollaborationId: 4 }
  for (const answer of [
    video,
    [video],
    { data: video },
    { data: [video] },
    { collaborations: [video] },
    { videoCollaboration: video }
  ]) {
    await withApi(json(answer), async ({ api, bodies, server }) => {
      assert.deepEqual((await api.getVideoCollaborations('7')).value, [video])
      assert.equal(server.requests[0]?.method, 'POST')
      assert.equal(server.requests[0]?.url, '/base/data')
      assert.equal(JSON.parse(bodies[0] ?? '').reportType, 'VIDEO_COLLABORATION')
    })
  }
})

test('an id that is not numeric is refused before any call', async () => {
  await withApi(json({}), async ({ api, server }) => {
    for (const id of ['', 'a', '1/../2', '-1', '1.5', '1?x']) {
      await assert.rejects(api.getProject(id), code('API_REJECTED'))
    }
    assert.equal(server.requests.length, 0)
  })
})

test('a 200 that is no JSON or has the wrong root is repeated, then a transient API_BAD_ANSWER', async () => {
  for (const answer of ['<html>CANARY</html>', '{"project":', '"text"', '[]', '{"error":"x"}']) {
    await withApi(json(answer), async ({ api, server }) => {
      await assert.rejects(
        api.getProject('7'),
        error => code('API_BAD_ANSWER')(error) && !String(error).includes('CANARY')
      )
      assert.equal(server.requests.length, 3)
    })
  }
  for (const answer of ['"text"', '{}', '{"data":5}', '[1]']) {
    await withApi(json(answer), async ({ api }) => {
      await assert.rejects(api.getMedia('7', ['1']), code('API_BAD_ANSWER'))
    })
  }
})

test('wrongly typed known fields are counted by field and tolerated', async () => {
  const answer = {
    project: { projectId: 'x', yearBuilt: '1990', address: [], novel: 1 },
    companyName: 'C'
  }
  await withApi(json(answer), async ({ api, telemetry }) => {
    assert.equal((await api.getProject('7')).value.project['yearBuilt'], '1990')
    for (const field of ['project.projectId', 'project.yearBuilt', 'project.address']) {
      const labels = { endpoint: 'E1', field }
      assert.equal(telemetry.counted('claimx_api_contract_breaks_total', labels), 1, field)
    }
    assert.equal(telemetry.counted('claimx_api_contract_breaks_total'), 3)
  })
})

test('classifies by status: 404, other 4xx once; 5xx and other statuses three times', async () => {
  const cases: [number, string, number][] = [
    [404, 'API_NOT_FOUND', 1],
    [400, 'API_REJECTED', 1],
    [403, 'API_REJECTED', 1],
    [422, 'API_REJECTED', 1],
    [500, 'API_SERVER_ERROR', 3],
    [503, 'API_SERVER_ERROR', 3],
    [201, 'API_SERVER_ERROR', 3],
    [302, 'API_SERVER_ERROR', 3]
  ]
  for (const [answer, expected, requests] of cases) {
    await withApi(status(answer), async ({ api, server }) => {
      await assert.rejects(
        api.getProject('7'),
        error => code(expected)(error) && !JSON.stringify(error).includes('CANARY')
      )
      assert.equal(server.requests.length, requests, String(answer))
    })
  }
})

test('a transient failure is repeated in-process and the reply tells how many calls it took', async () => {
  const reply = inTurn(status(500), status(502), json({ project: { projectId: 7 } }))
  await withApi(reply, async ({ api, telemetry }) => {
    assert.equal((await api.getProject('7')).calls, 3)
    const labels = { method: 'GET', endpoint: '/export/project/{projectId}' }
    assert.equal(telemetry.counted('claimx_api_requests_total', { ...labels, status: '500' }), 1)
    assert.equal(telemetry.counted('claimx_api_requests_total', { ...labels, status: '200' }), 1)
    assert.deepEqual(api.status().requests, { E1: 3 })
    assert.deepEqual(api.status().answers, { '200': 1, '500': 1, '502': 1 })
  })
})

test('a total time-out, a refused connection and a broken answer are API_UNREACHABLE', async () => {
  const never: Reply = (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.write('{"project":')
  }
  await withApi(
    never,
    async ({ api }) => {
      await assert.rejects(api.getProject('7'), code('API_UNREACHABLE'))
    },
    { timeoutMs: 50, inProcessAttempts: 1 }
  )
  const cut: Reply = (_req, res) => {
    res.writeHead(200, { 'content-length': '1000' })
    res.write('{')
    setImmediate(() => res.destroy())
  }
  await withApi(
    cut,
    async ({ api }) => {
      await assert.rejects(api.getProject('7'), code('API_UNREACHABLE'))
    },
    { inProcessAttempts: 2 }
  )
})

test('an answer beyond the size limit is refused while it is read', async () => {
  await withApi(
    json(`{"project":{"projectId":7,"a":"${'x'.repeat(5000)}"}}`),
    async ({ api }) => {
      await assert.rejects(api.getProject('7'), code('API_BAD_ANSWER'))
    },
    { maxBodyBytes: 1000, inProcessAttempts: 1 }
  )
})

test('429 is repeated without burning an attempt', async () => {
  const throttled = Array.from({ length: 6 }, () => status(429))
  const reply = inTurn(...throttled, json({ project: { projectId: 7 } }))
  await withApi(
    reply,
    async ({ api }) => {
      assert.equal((await api.getProject('7')).calls, 7)
      assert.equal(api.status().answers['429'], 6)
    },
    { inProcessAttempts: 1 }
  )
})

test('Retry-After holds all callers; one longer than the limit goes back to its caller', async () => {
  const clock = new FakeClock()
  const reply = inTurn(status(429, { 'retry-after': '5' }), json({ project: {} }))
  await withApi(
    reply,
    async ({ api, server }) => {
      const first = api.getProject('1')
      while (api.status().answers['429'] !== 1) await settle()
      const second = api.getProject('2')
      assert.equal(api.status().state, 'throttled')
      await clock.advance(4000)
      assert.equal(server.requests.length, 1)
      await drive(clock, Promise.all([first, second]), 500)
      assert.equal(server.requests.length, 3)
    },
    {},
    clock
  )
  await withApi(
    status(429, { 'retry-after': '300' }),
    async ({ api, server }) => {
      await assert.rejects(
        api.getProject('1'),
        error =>
          code('API_THROTTLED')(error) && isPipelineError(error) && error.retryAfterMs === 300_000
      )
      assert.equal(server.requests.length, 1)
    },
    {},
    new FakeClock()
  )
})

test('429 without end goes back to the caller after a bounded wait', async () => {
  const clock = new FakeClock()
  await withApi(
    status(429, { 'retry-after': '30' }),
    async ({ api, server }) => {
      await assert.rejects(drive(clock, api.getProject('1')), code('API_THROTTLED'))
      assert.ok(server.requests.length >= 3 && server.requests.length <= 5)
    },
    {},
    clock
  )
})

test('401 holds every call, alerts once, and a trial lets all go when the token works again', async () => {
  const clock = new FakeClock()
  let broken = true
  const reply: Reply = (req, res, body) =>
    (broken ? status(401) : json({ project: { projectId: 7 } }))(req, res, body)
  await withApi(
    reply,
    async ({ api, telemetry, server }) => {
      const calls = Array.from({ length: 10 }, (_, i) => api.getProject(String(i)))
      while (api.status().state !== 'unauthorized' || api.status().inFlight > 0) await settle()
      const sent = server.requests.length
      await clock.advance(60_000)
      while (api.status().inFlight > 0) await settle()
      assert.equal(server.requests.length, sent + 1, 'one trial')
      broken = false
      const replies = await drive(clock, Promise.all(calls), 10_000)
      assert.equal(replies.length, 10)
      assert.equal(telemetry.logs.filter(entry => entry.level === 'error').length, 1)
      assert.equal(api.status().state, 'ok')
    },
    {},
    clock
  )
})

test('while the breaker is open calls wait at the gate and burn no attempts', async () => {
  const clock = new FakeClock()
  let broken = true
  const reply: Reply = (req, res, body) =>
    (broken ? status(503) : json({ project: { projectId: 7 } }))(req, res, body)
  await withApi(
    reply,
    async ({ api }) => {
      const calls = Array.from({ length: 12 }, (_, i) => api.getProject(String(i)))
      const all = Promise.all(calls)
      while (api.status().state !== 'circuit_open') await settle()
      for (let minute = 0; minute < 8; minute += 1) {
        await clock.advance(60_000)
        while (api.status().inFlight > 0) await settle()
      }
      broken = false
      assert.equal((await drive(clock, all, 10_000)).length, 12)
    },
    {},
    clock
  )
})

test('a call that always fails does not wait for ever behind a breaker of its own making', async () => {
  const clock = new FakeClock()
  await withApi(
    status(500),
    async ({ api }) => {
      const calls = Array.from({ length: 3 }, (_, i) => api.getProject(String(i)))
      const results = await drive(clock, Promise.allSettled(calls), 10_000)
      assert.ok(results.every(result => result.status === 'rejected'))
    },
    {},
    clock
  )
})

test('identical calls under way are one request; a call after it is a new one', async () => {
  const held: (() => void)[] = []
  const reply: Reply = (req, res, body) =>
    void held.push(() => json({ project: { projectId: 7 } })(req, res, body))
  await withApi(reply, async ({ api, server }) => {
    const calls = [api.getProject('7'), api.getProject('07'), api.getProject('7')]
    while (held.length === 0) await settle()
    held.shift()?.()
    const replies = await Promise.all(calls)
    assert.deepEqual(
      replies.map(one => one.calls),
      [1, 0, 0]
    )
    assert.equal(api.status().shared, 2)
    const later = api.getProject('7')
    while (held.length === 0) await settle()
    held.shift()?.()
    await later
    assert.equal(server.requests.length, 2)
  })
})

test('an urgent call goes before those that wait, also before an identical one', async () => {
  const held: (() => void)[] = []
  const reply: Reply = (req, res, body) =>
    void held.push(() => json({ project: { projectId: 7 } })(req, res, body))
  await withApi(
    reply,
    async ({ api, server }) => {
      const calls = ['1', '2', '3'].map(id => api.getProject(id))
      calls.push(api.getProject('3', { urgent: true }))
      for (let i = 0; i < 4; i += 1) {
        while (held.length === 0) await settle()
        held.shift()?.()
      }
      await Promise.all(calls)
      assert.deepEqual(
        server.requests.map(request => request.url?.at(-1)),
        ['1', '3', '2', '3']
      )
    },
    { maxConcurrent: 1 }
  )
})

test('an aborted call ends with its signal and frees its slot', async () => {
  const hang: Reply = (req, res, body) => {
    if (req.url?.endsWith('/2')) json({ project: {} })(req, res, body)
  }
  await withApi(
    hang,
    async ({ api }) => {
      const abort = new AbortController()
      const call = api.getProject('1', { signal: abort.signal })
      while (api.status().inFlight === 0) await settle()
      abort.abort(new Error('stop'))
      await assert.rejects(call, /stop/)
      await api.getProject('2')
      assert.equal(api.status().inFlight, 0)
    },
    { maxConcurrent: 1 }
  )
})

test('close rejects what is under way and what waits', async () => {
  await withApi(
    () => {},
    async ({ api }) => {
      const calls = Promise.allSettled(['1', '2', '3'].map(id => api.getProject(id)))
      while (api.status().inFlight === 0) await settle()
      await api.close()
      assert.ok((await calls).every(result => result.status === 'rejected'))
      await assert.rejects(api.getProject('4'))
    },
    { maxConcurrent: 1 }
  )
})

test('neither token, nor body, nor an id reaches logs, labels or errors', async () => {
  await withApi(status(500), async ({ api, telemetry }) => {
    const error = await api.getProject('7654321').catch((thrown: unknown) => thrown)
    const seen = `${telemetry.text()} ${String(error)} ${JSON.stringify(error)}`
    for (const secret of ['dG9rZW4', 'CANARY', '7654321']) assert.ok(!seen.includes(secret), secret)
  })
})

test('askedAt is the wall clock when the request was sent', async () => {
  const clock = new FakeClock()
  await withApi(
    json({ project: {} }),
    async ({ api }) => {
      const asked = clock.now()
      assert.equal((await api.getProject('1')).askedAt, asked)
    },
    {},
    clock
  )
})
