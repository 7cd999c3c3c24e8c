import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Faults } from '../../../src/simulator/faults.ts'
import {
  createWorld,
  type Simulator,
  type SimulatorOptions,
  startSimulator
} from '../../../src/simulator/index.ts'

const world = createWorld({ seed: 5, projects: 50, events: 1500, missing: 0.04, mediaScale: 0.1 })
const token = 'dXNlcjpwYXNz'
const authorization = `Basic ${token}`
const accepted = Array.from({ length: 1500 }, (_, i) => world.expectedEvent(i)).filter(
  event => event.kind === 'accepted'
)
const projects = [...new Set(accepted.map(event => Number(event.projectId)))]
const known = projects.filter(id => world.projectAnswer(id) !== undefined)
const unknown = projects.find(id => world.projectAnswer(id) === undefined)!
const withMedia = known.find(id => world.mediaIdsOf(id).length > 8)!

async function withServer(
  options: Partial<SimulatorOptions>,
  use: (simulator: Simulator) => Promise<void>
): Promise<void> {
  const simulator = await startSimulator({ world, port: 0, token, faults: 'none', ...options })
  try {
    await use(simulator)
  } finally {
    await simulator.close()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
async function get(simulator: Simulator, path: string): Promise<{ status: number; body: any }> {
  const response = await fetch(simulator.apiUrl + path, { headers: { authorization } })
  return { status: response.status, body: await response.json() }
}

async function post(simulator: Simulator, body: unknown): Promise<Response> {
  return fetch(`${simulator.apiUrl}/data`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(body)
  })
}

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
function items(body: any): Record<string, unknown>[] {
  const list = body.data ?? body.media ?? body.collaborations ?? body.videoCollaboration ?? body
  return Array.isArray(list) ? list : [list]
}

async function linkOf(simulator: Simulator, mediaId: number): Promise<string> {
  const file = world.mediaFile(mediaId)!
  const { body } = await get(simulator, `/export/project/${file.projectId}/media`)
  const item = items(body).find(each => each['mediaID'] === mediaId)!
  return String(item['fullDownloadLink'])
}

function mediaWhere(direct: boolean): number {
  return known
    .flatMap(id => world.mediaIdsOf(id))
    .find(id => {
      const file = world.mediaFile(id)!
      return file.hasLink && !file.refused && file.direct === direct
    })!
}

test('Every endpoint wants the Basic token', async () => {
  await withServer({}, async simulator => {
    for (const path of [`/export/project/${withMedia}`, '/customTasks/assignment/1?full=true']) {
      const bare = await fetch(simulator.apiUrl + path)
      assert.equal(bare.status, 401)
      const wrong = await fetch(simulator.apiUrl + path, { headers: { authorization: 'Basic x' } })
      assert.equal(wrong.status, 401)
    }
    const health = await fetch(`${simulator.url}/health`)
    assert.equal(health.status, 200)
  })
})

test('E1 answers with the project, wrapped or bare, and 404 for an unknown one', async () => {
  await withServer({}, async simulator => {
    const shapes = new Set<boolean>()
    for (const projectId of known) {
      const { status, body } = await get(simulator, `/export/project/${projectId}`)
      assert.equal(status, 200)
      shapes.add('data' in body)
      assert.deepEqual(body.data ?? body, world.projectAnswer(projectId))
    }
    assert.equal(shapes.size, 2)
    assert.equal((await get(simulator, `/export/project/${unknown}`)).status, 404)
    assert.equal((await get(simulator, '/export/project/abc')).status, 404)
    assert.deepEqual(simulator.stats().distinct, { E1: known.length + 1 })
  })
})

test('E2 leads from a claim number to the project id', async () => {
  await withServer({}, async simulator => {
    for (const projectId of known.slice(0, 12)) {
      const answer = world.projectAnswer(projectId)?.['project'] as { projectNumber: string }
      const number = encodeURIComponent(answer.projectNumber)
      const { body } = await get(simulator, `/export/project/projectId?projectNumber=${number}`)
      assert.equal(body.projectId ?? body.id ?? body, projectId)
    }
    const none = await get(simulator, '/export/project/projectId?projectNumber=none')
    assert.equal(none.status, 404)
  })
})

test('E3 answers with the whole list, or with the ids asked for and unknown ones ignored', async () => {
  await withServer({}, async simulator => {
    const ids = world.mediaIdsOf(withMedia)
    const whole = items((await get(simulator, `/export/project/${withMedia}/media`)).body)
    assert.deepEqual(
      whole.map(item => item['mediaID']),
      ids
    )
    const empty = await get(simulator, `/export/project/${withMedia}/media?mediaIds=`)
    assert.equal(items(empty.body).length, ids.length)
    const path = `/export/project/${withMedia}/media?mediaIds=${ids[2]},${ids[5]},1`
    const some = items((await get(simulator, path)).body).map(item => item['mediaID'])
    assert.ok(some.includes(ids[2]) && some.includes(ids[5]) && some.length <= 3)
    assert.equal((await get(simulator, `/export/project/${unknown}/media`)).status, 404)
  })
})

test('E6 wants full=true and numeric ids; some tasks belong to another project', async () => {
  await withServer({}, async simulator => {
    const tasks = known.flatMap(id => world.taskIdsOf(id))
    const { body } = await get(simulator, `/customTasks/assignment/${tasks[0]}?full=true`)
    assert.equal((body.data ?? body).taskId, world.taskAnswer(tasks[0]!)?.['taskId'])
    assert.equal((await get(simulator, `/customTasks/assignment/${tasks[0]}`)).status, 400)
    assert.equal((await get(simulator, '/customTasks/assignment/7?full=true')).status, 404)
    const moved = known.some(id =>
      world.taskIdsOf(id).some(task => world.taskAnswer(task)?.['projectId'] !== id)
    )
    assert.ok(moved)
  })
})

test('E7 and E8 check their body and answer with reports', async () => {
  await withServer({}, async simulator => {
    const projectId = known.find(id => world.videoAnswers(id).length > 0)!
    const base = { projectId, senderUsername: 'user@example.com' }
    const video = await post(simulator, { ...base, reportType: 'VIDEO_COLLABORATION' })
    assert.equal(items(await video.json()).length, world.videoAnswers(projectId).length)
    const tasks = await post(simulator, { ...base, reportType: 'CUSTOM_TASK_HIGH_LEVEL' })
    assert.equal(((await tasks.json()) as { success: boolean }).success, true)
    for (const wrong of [{ ...base, reportType: 'X' }, { ...base, projectId: '1' }, [], {}]) {
      const response = await post(simulator, wrong)
      assert.equal(response.status, 400)
      await response.arrayBuffer()
    }
  })
})

test('A file link redirects to the bucket, which delivers the exact file', async () => {
  await withServer({}, async simulator => {
    const mediaId = mediaWhere(false)
    const link = await linkOf(simulator, mediaId)
    const first = await fetch(link, { redirect: 'manual' })
    assert.equal(first.status, 302)
    const location = first.headers.get('location')!
    assert.match(location, /\/s3\/.*X-Amz-Signature=/)
    const file = await fetch(location)
    assert.equal(file.headers.get('content-type'), world.mediaFile(mediaId)?.contentType)
    const bytes = Buffer.from(await file.arrayBuffer())
    assert.equal(createHash('sha256').update(bytes).digest('hex'), world.mediaDigest(mediaId))
    const withToken = await fetch(location, { headers: { authorization } })
    assert.equal(withToken.status, 400, 'the token must not reach S3')
    const { downloads, bytes: sent } = simulator.stats()
    assert.deepEqual([downloads, sent], [1, bytes.length])
  })
})

test('Links that are tampered with or have expired get 403', async () => {
  await withServer({ linkLifetimeMs: 0 }, async simulator => {
    const link = await linkOf(simulator, mediaWhere(false))
    const expired = await fetch(link)
    assert.equal(expired.status, 403)
    assert.match(await expired.text(), /<Message>Request has expired<\/Message>/)
    for (const change of ['expires=9', 'systemDate=9']) {
      const name = change.split('=')[0]
      const tampered = await fetch(link.replace(new RegExp(`${name}=`), change))
      assert.equal(tampered.status, 403)
      assert.match(await tampered.text(), /SignatureDoesNotMatch/)
    }
  })
})

test('Videos come with direct links, which cannot be prolonged', async () => {
  await withServer({}, async simulator => {
    const link = await linkOf(simulator, mediaWhere(true))
    assert.match(link, /\/s3\//)
    const tampered = await fetch(link.replace(/X-Amz-Expires=/, 'X-Amz-Expires=9'))
    assert.equal(tampered.status, 403)
    const good = await fetch(link)
    assert.equal(good.status, 200)
    await good.arrayBuffer()
  })
})

test('Links survive a restart of the server', async () => {
  let path = ''
  await withServer({}, async simulator => {
    const link = new URL(await linkOf(simulator, mediaWhere(false)))
    path = link.pathname + link.search
  })
  await withServer({}, async simulator => {
    const response = await fetch(simulator.url + path)
    assert.equal(response.status, 200)
    await response.arrayBuffer()
  })
})

test('The hidden limit answers 429 with Retry-After and lets calls pass at its rate', async () => {
  await withServer({ rateLimit: 10 }, async simulator => {
    const calls = Array.from({ length: 40 }, () =>
      fetch(`${simulator.apiUrl}/export/project/${withMedia}`, { headers: { authorization } })
    )
    const answers = await Promise.all(calls)
    await Promise.all(answers.map(answer => answer.arrayBuffer()))
    const throttled = answers.filter(answer => answer.status === 429)
    assert.ok(throttled.length >= 20, `${throttled.length}`)
    assert.equal(throttled[0]?.headers.get('retry-after'), '1')
    assert.equal(simulator.stats().throttled, throttled.length)
  })
})

test('Under heavy faults a key fails twice in a row at most, if it is not stubborn, and every sort occurs', async () => {
  await withServer({ faults: 'heavy', slowMs: [0, 1] }, async simulator => {
    const stubborn = new Set<number>()
    for (const projectId of known) {
      let inRow = 0
      for (let i = 0; i < 30; i++) {
        const good = await isGood(`${simulator.apiUrl}/export/project/${projectId}`)
        // A moment that concerns every call is no failure of this key.
        if (good === undefined) continue
        inRow = good ? 0 : inRow + 1
        assert.ok(inRow <= 5, `project ${projectId} failed ${inRow} times in a row`)
        if (inRow > 2) stubborn.add(projectId)
      }
    }
    assert.ok(stubborn.size <= 2, `${stubborn.size} of ${known.length} are stubborn`)
    const { faults } = simulator.stats()
    const { api_throttled, api_unauthorized, ...ofKeys } = faults
    const total = Object.values(ofKeys).reduce((sum, count) => sum + count, 0)
    const share = total / (known.length * 30)
    assert.ok(share > 0.06 && share < 0.13, `share ${share}`)
    assert.ok(Object.keys(ofKeys).filter(name => name.startsWith('api_')).length >= 8)
  })
})

test('A few keys fail their first five requests and then answer; all others fail twice at most', () => {
  const faults = new Faults('heavy', 1, 0)
  let stubborn = 0
  for (let id = 0; id < 5_000; id += 1) {
    const rows = longestRow(Array.from({ length: 40 }, () => faults.api(`E1:${id}`)))
    assert.ok(rows <= 5, `${rows} in a row`)
    if (rows > 2) stubborn += 1
  }
  assert.ok(stubborn >= 10 && stubborn <= 40, `${stubborn} of 5,000`)
})

function longestRow(faults: readonly unknown[]): number {
  let row = 0
  let longest = 0
  for (const fault of faults) {
    row = fault === undefined ? 0 : row + 1
    longest = Math.max(longest, row)
  }
  return longest
}

test('Moments in which every call is throttled or refused come again, at a level of faults', () => {
  const faults = new Faults('heavy', 1, 0)
  const times = Array.from({ length: 60_000 }, (_, ms) => ms)
  const throttled = times.filter(ms => faults.throttled(ms)).length
  const refused = times.filter(ms => faults.unauthorized(ms)).length
  assert.ok(throttled >= 1_200 && throttled <= 1_600, `${throttled} ms`)
  assert.ok(refused >= 3_200 && refused <= 4_800, `${refused} ms`)
  const none = new Faults('none', 1, 0)
  assert.equal(
    times.some(ms => none.throttled(ms) || none.unauthorized(ms)),
    false
  )
})

async function isGood(url: string): Promise<boolean | undefined> {
  try {
    const response = await fetch(url, { headers: { authorization } })
    if (response.status === 401 || response.status === 429) return undefined
    const body = JSON.parse(await response.text()) as unknown
    return response.status === 200 && typeof body === 'object'
  } catch {
    return false
  }
}

test('Under heavy faults every file can be had within a few attempts', async () => {
  await withServer({ faults: 'heavy', slowMs: [0, 1] }, async simulator => {
    const ids = known.flatMap(id => world.mediaIdsOf(id)).slice(0, 150)
    let failed = 0
    for (const mediaId of ids) {
      const file = world.mediaFile(mediaId)!
      if (!file.hasLink) continue
      let attempts = 0
      while (!(await hasFile(simulator, mediaId))) {
        attempts++
        failed++
        assert.ok(attempts <= 6, `media ${mediaId}`)
      }
    }
    assert.ok(failed > 5)
    assert.ok((simulator.stats().faults['link_short_lived'] ?? 0) > 0)
  })
})

async function hasFile(simulator: Simulator, mediaId: number): Promise<boolean> {
  try {
    const response = await fetch(await linkOf(simulator, mediaId))
    const bytes = Buffer.from(await response.arrayBuffer())
    return response.status === 200 && bytes.length === world.mediaFile(mediaId)!.size
  } catch {
    return false
  }
}

test('Closing does not wait for slow answers', async () => {
  const simulator = await startSimulator({
    world,
    port: 0,
    token,
    faults: 'none',
    latencyMs: 600_000
  })
  const waiting = fetch(`${simulator.apiUrl}/export/project/${withMedia}`, {
    headers: { authorization }
  })
  const rejected = assert.rejects(waiting)
  while (simulator.stats().requests['E1'] !== 1) await new Promise(setImmediate)
  await simulator.close()
  await rejected
})
