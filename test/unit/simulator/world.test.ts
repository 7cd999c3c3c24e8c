import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { isPipelineError, parseInstant } from '../../../src/core/index.ts'
import { createWorld, expectedSummary, type World } from '../../../src/simulator/index.ts'
import { kinds } from '../../../src/simulator/plan.ts'

const options = { seed: 7, projects: 200, events: 4000, malformed: 0.01 }

function digest(world: World): string {
  const hash = createHash('sha256')
  for (let i = 0; i < world.eventCount; i++) {
    const { key, value } = world.event(i)
    hash.update(`${key}\n`).update(value)
  }
  for (const projectId of projectIds(world)) {
    hash.update(JSON.stringify(world.projectAnswer(projectId) ?? null))
    for (const mediaId of world.mediaIdsOf(projectId)) {
      hash.update(JSON.stringify(world.mediaAnswer(mediaId)))
    }
    for (const id of world.taskIdsOf(projectId)) hash.update(JSON.stringify(world.taskAnswer(id)))
    hash.update(JSON.stringify(world.videoAnswers(projectId)))
  }
  return hash.digest('hex')
}

function projectIds(world: World): number[] {
  const ids = new Set<number>()
  for (let i = 0; i < world.eventCount; i++) {
    const event = world.expectedEvent(i)
    if (event.kind === 'accepted') ids.add(Number(event.projectId))
  }
  return [...ids].filter(Number.isInteger)
}

test('The same seed gives the same world, another seed another one', () => {
  const world = digest(createWorld(options))
  assert.equal(digest(createWorld(options)), world)
  assert.notEqual(digest(createWorld({ ...options, seed: 8 })), world)
})

test('Events can be asked for in any order', () => {
  const forwards = createWorld(options)
  const backwards = createWorld(options)
  const late = backwards.event(3000)
  assert.deepEqual(forwards.event(10), backwards.event(10))
  assert.deepEqual(forwards.event(3000), late)
})

test('All ten event types and unknown ones occur, about as often as the reference says', () => {
  const { byType, distinctEvents, duplicates, malformed } = expectedSummary(createWorld(options))
  const known = kinds.filter(kind => kind !== 'UNKNOWN' && kind !== 'BAD')
  for (const kind of known) assert.ok((byType[kind] ?? 0) > 0, kind)
  assert.ok(Object.keys(byType).length > known.length)
  const files = (byType['PROJECT_FILE_ADDED'] ?? 0) / distinctEvents
  assert.ok(files > 0.22 && files < 0.4, `share of files ${files}`)
  assert.ok(duplicates > 60 && duplicates <= 80, `${duplicates} duplicates`)
  assert.ok(malformed > 15 && malformed < 50, `${malformed} malformed`)
})

test('Photos come in bursts, and events arrive out of order', () => {
  const world = createWorld(options)
  const sequences = Array.from({ length: world.eventCount }, (_, i) => world.expectedEvent(i))
  const back = sequences.filter((event, i) => {
    const before = sequences[i - 1]
    return before !== undefined && before.sequence > event.sequence
  })
  assert.ok(back.length > world.eventCount * 0.05)
  const perProject = Map.groupBy(
    sequences.flatMap(e => (e.kind === 'accepted' && e.mediaId !== null ? [e.projectId] : [])),
    id => id
  )
  assert.ok(Math.max(...[...perProject.values()].map(list => list.length)) >= 20)
})

test('Ids are numeric with the observed magnitudes, and link every entity to its project', () => {
  const world = createWorld(options)
  for (const projectId of projectIds(world).filter(id => id > 0)) {
    assert.match(String(projectId), /^\d{7}$/)
    for (const id of world.mediaIdsOf(projectId)) {
      assert.match(String(id), /^\d{8}$/)
      assert.equal(world.mediaFile(id)?.projectId, projectId)
      assert.equal(world.mediaAnswer(id)?.['mediaID'], id)
    }
    for (const id of world.taskIdsOf(projectId)) {
      assert.match(String(id), /^\d{7}$/)
      assert.equal(world.taskProject(id), world.taskAnswer(id)?.['projectId'])
    }
  }
})

test('A claim number leads to its project and no other', () => {
  const world = createWorld(options)
  const projectId = projectIds(world).find(id => world.projectAnswer(id) !== undefined)!
  const project = world.projectAnswer(projectId)?.['project'] as { projectNumber: string }
  assert.equal(world.projectIdOf(project.projectNumber), projectId)
  assert.equal(world.projectIdOf(`X${project.projectNumber}`), undefined)
  assert.equal(world.projectIdOf('nonsense'), undefined)
})

test('Entities that the API does not know occur, and their events are expected to fail', () => {
  const world = createWorld({ ...options, malformed: 0 })
  const failed = Array.from({ length: world.eventCount }, (_, i) => world.expectedEvent(i)).filter(
    event => event.kind === 'accepted' && event.outcome === 'failed_permanent'
  )
  assert.ok(failed.length > 5)
  for (const event of failed) {
    assert.ok(event.kind === 'accepted' && event.eventId !== undefined)
    const { projectId, mediaId, taskAssignmentId } = event
    const unknown =
      world.projectAnswer(Number(projectId)) === undefined ||
      (mediaId !== null && !world.mediaIdsOf(Number(projectId)).includes(Number(mediaId))) ||
      (taskAssignmentId !== null && world.taskAnswer(Number(taskAssignmentId)) === undefined)
    assert.ok(unknown, JSON.stringify(event.eventId))
  }
})

test('Every spelling of an event says the same', () => {
  const world = createWorld({ ...options, malformed: 0 })
  const spellings = new Set<string>()
  for (let i = 0; i < world.eventCount; i++) {
    const { value, expected } = world.event(i)
    assert.ok(expected.kind === 'accepted')
    const row = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>
    spellings.add(Object.keys(row).join())
    const raw = row['raw_data'] as { projectId: unknown } | undefined
    const project = row['project_id'] ?? row['projectId'] ?? raw?.projectId
    assert.equal(String(project), expected.projectId)
    const id = row['event_id'] ?? row['eventId'] ?? row['trace_id'] ?? row['traceId']
    assert.equal(id === undefined ? undefined : String(id).trim(), expected.eventId)
    const names = ['ingested_at', 'ingestedAt', 'IngestionTime', 'ingestion_time', '$IngestionTime']
    const time = names.map(name => row[name]).find(text => text !== undefined)
    const micros = time === undefined ? undefined : parseInstant(String(time))
    assert.equal(micros, expected.ingestedAt)
  }
  assert.ok(spellings.size > 15)
})

test('Bad events of every sort occur, one of them of five megabytes', () => {
  const world = createWorld({ ...options, malformed: 0.02 })
  const reasons = new Set<string>()
  let largest = 0
  for (let i = 0; i < world.eventCount; i++) {
    const { expected, value } = world.event(i)
    largest = Math.max(largest, value.length)
    if (expected.kind === 'malformed') reasons.add(expected.reason)
    if (expected.kind === 'malformed' && expected.reason === 'invalid UTF-8') {
      assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(value))
    }
  }
  assert.equal(reasons.size, 10)
  assert.ok(largest > 5_000_000 && largest < 6_000_000)
})

const magic: Readonly<Record<string, RegExp>> = {
  jpg: /^ffd8ffe0.*ffd9$/,
  jpeg: /^ffd8ffe0.*ffd9$/,
  png: /^89504e470d0a1a0a.*49454e44ae426082$/,
  pdf: /^255044462d312e34.*2525454f460a$/,
  mp4: /^........66747970(69736f6d)/,
  mov: /^........66747970(71742020)/,
  txt: /^636c61696d20/
}

test('Files have the size, the beginning and the end of their format, and differ', () => {
  const world = createWorld({ ...options, mediaScale: 0.1 })
  const seen = new Map<string, number>()
  const digests = new Set<string>()
  let files = 0
  for (const mediaId of projectIds(world).flatMap(id => world.mediaIdsOf(id))) {
    const file = world.mediaFile(mediaId)!
    const bytes = Buffer.concat([...world.mediaChunks(mediaId)])
    assert.equal(bytes.length, file.size)
    const digest = createHash('sha256').update(bytes).digest('hex')
    assert.equal(world.mediaDigest(mediaId), digest)
    digests.add(digest)
    files++
    if (file.refused) continue
    const ends = bytes.toString('hex', 0, 16) + bytes.toString('hex', bytes.length - 16)
    assert.match(ends, magic[file.extension]!, `${file.extension} ${ends}`)
    seen.set(file.extension, (seen.get(file.extension) ?? 0) + 1)
  }
  assert.equal(digests.size, files)
  for (const extension of Object.keys(magic)) assert.ok(seen.has(extension), extension)
})

test('A PNG and a PDF are consistent inside', () => {
  const world = createWorld({ ...options, mediaScale: 0.1 })
  const find = (extension: string): Buffer => {
    const ids = projectIds(world).flatMap(id => world.mediaIdsOf(id))
    const id = ids.find(each => world.mediaFile(each)?.extension === extension)!
    return Buffer.concat([...world.mediaChunks(id)])
  }
  const png = find('png')
  const types: string[] = []
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const type = png.toString('latin1', at + 4, at + 8)
    types.push(type)
    if (type === 'IDAT') {
      assert.deepEqual(
        [...inflateSync(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))],
        [0, 128]
      )
    }
  }
  assert.deepEqual(types, ['IHDR', 'paDd', 'IDAT', 'IEND'])
  const pdf = find('pdf').toString('latin1')
  const start = Number(/startxref\n(\d+)/.exec(pdf)?.[1])
  assert.equal(pdf.slice(start, start + 4), 'xref')
  const offsets = [...pdf.slice(start).matchAll(/^(\d{10}) 00000 n/gm)].map(m => Number(m[1]))
  offsets.forEach((offset, i) => {
    assert.equal(pdf.slice(offset, offset + 7), `${i + 1} 0 obj`)
  })
})

test('File names repeat within a project, and some are missing, long or not plain', () => {
  const world = createWorld({ ...options, events: 8000 })
  const names = projectIds(world).map(id => world.mediaIdsOf(id).map(m => world.mediaFile(m)!.name))
  assert.ok(names.some(list => new Set(list).size < list.length))
  const all = names.flat()
  assert.ok(all.includes(null))
  assert.ok(all.some(name => (name?.length ?? 0) > 255))
  assert.ok(all.some(name => /[^ -~]/.test(name ?? '')))
  assert.ok(all.some(name => name?.includes('/')))
})

test('Sizes out of range are refused', () => {
  for (const wrong of [{ projects: 0 }, { projects: 200_001 }, { events: -1 }, { seed: 0.5 }]) {
    assert.throws(
      () => createWorld({ ...options, ...wrong }),
      error => isPipelineError(error) && error.code === 'USAGE'
    )
  }
})

test('An empty world and a tiny one are possible', () => {
  assert.equal(expectedSummary(createWorld({ seed: 1, projects: 1, events: 0 })).distinctEvents, 0)
  const tiny = createWorld({ seed: 1, projects: 1, events: 3, malformed: 0.5 })
  assert.equal(tiny.event(2).index, 2)
  assert.throws(() => tiny.event(3), /no event 3/)
})
