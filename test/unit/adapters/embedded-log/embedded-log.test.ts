import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createLogNotifier, openEmbeddedLog } from '../../../../src/adapters/embedded-log/index.ts'
import type { Consumer } from '../../../../src/ports/index.ts'
import { machineClock, machineIds, openTempLog } from '../../../helpers/embedded-log.ts'

const ports = { clock: machineClock, ids: machineIds }
const topic = 't'

test('a file that is not SQLite is refused', async () => {
  const temp = await openTempLog()
  const path = `${temp.path}.other`
  await writeFile(path, 'this is no database, but long enough to be read as one'.repeat(20))
  await assert.rejects(openEmbeddedLog({ path }, ports), { code: 'BROKER_FORMAT' })
  await temp.close()
})

test('an SQLite file of another program is refused and left as it was', async () => {
  const temp = await openTempLog()
  const path = `${temp.path}.other`
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE mine (x)')
  other.close()
  await assert.rejects(openEmbeddedLog({ path }, ports), { code: 'BROKER_FORMAT' })
  const again = new DatabaseSync(path)
  assert.equal(again.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'], 1)
  again.close()
  await temp.close()
})

test('a file of a later format version is refused', async () => {
  const temp = await openTempLog()
  await temp.log.close()
  const db = new DatabaseSync(temp.path)
  db.exec('PRAGMA user_version = 99')
  db.close()
  await assert.rejects(openEmbeddedLog({ path: temp.path }, ports), {
    code: 'BROKER_FORMAT',
    message: /version 99/
  })
  await temp.close()
})

test('several logs of one process may create one file at once', async () => {
  const temp = await openTempLog()
  const path = `${temp.path}.new`
  const logs = await Promise.all([1, 2, 3, 4].map(() => openEmbeddedLog({ path }, ports)))
  await Promise.all(logs.map(log => log.createTopics([{ name: topic, partitions: 2 }])))
  for (const log of logs) assert.equal((await log.describeTopics()).length, 1)
  await Promise.all(logs.map(log => log.close()))
  await temp.close()
})

test('a record that is too large is refused before anything of the call is stored', async () => {
  const temp = await openTempLog({ maxRecordBytes: 100 })
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  const producer = await temp.log.producer()
  const records = [
    { topic, value: 'small' },
    { topic, value: 'x'.repeat(101) }
  ]
  await assert.rejects(producer.send(records), { code: 'BROKER_RECORD_TOO_LARGE' })
  assert.deepEqual(await temp.log.read({ topic, partition: 0, offset: 0n }, 5), [])
  await producer.send([{ topic, value: 'x'.repeat(100) }])
  await temp.close()
})

test('topic names and partition counts are checked', async () => {
  const temp = await openTempLog()
  for (const spec of [
    { name: 'a b', partitions: 1 },
    { name: '', partitions: 1 },
    { name: 'ok', partitions: 0 },
    { name: 'ok', partitions: 5_000 }
  ]) {
    await assert.rejects(temp.log.createTopics([{ name: 'good', partitions: 1 }, spec]), {
      code: 'CONFIG_INVALID'
    })
  }
  assert.deepEqual(await temp.log.describeTopics(), [])
  await temp.close()
})

test('a heartbeat interval of a third of the session or more is refused', async () => {
  const temp = await openTempLog()
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  await assert.rejects(
    temp.log.consumer({
      groupId: 'g',
      topics: [topic],
      sessionTimeoutMs: 900,
      heartbeatIntervalMs: 300
    }),
    { code: 'CONFIG_INVALID' }
  )
  await temp.close()
})

test('records beyond the retention time are deleted, younger ones stay, offsets go on', async () => {
  let now = 1_000_000
  const clock = { ...machineClock, now: () => now }
  const temp = await openTempLog({ retentionCheckMs: 5 }, clock)
  await temp.log.createTopics([
    { name: topic, partitions: 1, retentionMs: 1_000 },
    { name: 'kept', partitions: 1 }
  ])
  const producer = await temp.log.producer()
  const old = Array.from({ length: 600 }, () => ({ topic, value: 'old' }))
  await producer.send([...old, { topic: 'kept', value: 'old' }])
  const consumer = await temp.log.consumer({ groupId: 'g', topics: [topic, 'kept'] })
  const { generation } = await consumer.poll({ maxRecords: 1, timeoutMs: 1_000 })
  await consumer.commit(generation, [
    { topic, partition: 0, offset: 600n },
    { topic: 'kept', partition: 0, offset: 1n }
  ])
  now += 900
  await producer.send([{ topic, value: 'young' }])
  now += 101
  const earliest = async (name: string) =>
    (await temp.log.describeTopics([name]))[0]!.partitions[0]!.earliest
  while ((await earliest(topic)) < 600n) await new Promise(next => setImmediate(next))
  const left = await temp.log.read({ topic, partition: 0, offset: 0n }, 10)
  assert.deepEqual(
    left.map(record => record.offset),
    [600n]
  )
  assert.equal(await earliest('kept'), 0n)
  await temp.close()
})

test('no record is deleted by age before every group has consumed it', async () => {
  let now = 1_000_000
  const temp = await openTempLog({ retentionCheckMs: 5 }, { ...machineClock, now: () => now })
  const specs = ['read', 'joined', 'unread'].map(name => ({ name, partitions: 2, retentionMs: 1 }))
  const mark = { name: 'mark', partitions: 1, retentionMs: 1 }
  await temp.log.createTopics([...specs, mark])
  const producer = await temp.log.producer()
  const send = (name: string) =>
    producer.send(
      Array.from({ length: 20 }, (_, index) => ({ topic: name, value: 'x', partition: index % 2 }))
    )
  for (const { name } of specs) await send(name)
  const commit = async (
    groupId: string,
    name: string,
    offsets: readonly (bigint | undefined)[]
  ) => {
    const consumer = await temp.log.consumer({ groupId, topics: [name] })
    const { generation } = await consumer.poll({ maxRecords: 1, timeoutMs: 1_000 })
    const given = offsets.flatMap((offset, partition) =>
      offset === undefined ? [] : [{ topic: name, partition, offset }]
    )
    await consumer.commit(generation, given)
    await consumer.close()
  }
  // A slow group, a fast one, and partition 1 that the slow one has never committed.
  await commit('slow', 'read', [4n, undefined])
  await commit('fast', 'read', [10n, 10n])
  // A member that has not committed anything yet counts too.
  await commit('done', 'joined', [10n, 10n])
  const waiting = await temp.log.consumer({ groupId: 'new', topics: ['joined'] })
  now += 9 * 86_400_000
  const earliest = async (name: string) =>
    (await temp.log.describeTopics([name]))[0]!.partitions.map(one => one.earliest)
  /** A whole round has passed when an expired record of the last topic is gone. */
  const round = async () => {
    await producer.send([{ topic: 'mark', value: 'x', timestamp: 0 }])
    const [end = 0n] = (await temp.log.groupLag('m', ['mark'])).map(lag => lag.end)
    await commit('m', 'mark', [end])
    while ((await earliest('mark'))[0]! < end) await new Promise(next => setImmediate(next))
  }
  await round()
  await round()
  assert.deepEqual(await earliest('read'), [4n, 0n])
  assert.deepEqual(await earliest('joined'), [0n, 0n])
  assert.deepEqual(await earliest('unread'), [0n, 0n])
  await waiting.close()
  await commit('slow', 'read', [10n, 10n])
  await round()
  await round()
  assert.deepEqual(await earliest('read'), [10n, 10n])
  assert.deepEqual(await earliest('joined'), [10n, 10n])
  assert.deepEqual(await earliest('unread'), [0n, 0n])
  await temp.close()
})

test('a clock that steps back neither expires members nor deletes records', async () => {
  let now = 10_000_000
  const temp = await openTempLog({ retentionCheckMs: 5 }, { ...machineClock, now: () => now })
  await temp.log.createTopics([{ name: topic, partitions: 1, retentionMs: 60_000 }])
  await (await temp.log.producer()).send([{ topic, value: 'a' }])
  const options = { topics: [topic], sessionTimeoutMs: 1_000, heartbeatIntervalMs: 50 }
  const consumer = await temp.log.consumer({ groupId: 'g', ...options })
  const { generation, records } = await consumer.poll({ maxRecords: 1, timeoutMs: 1_000 })
  now -= 5_000_000
  const beats = () => memberBeat(temp.path)
  const start = beats()
  while (beats() < start + 25) await new Promise(next => setImmediate(next))
  await consumer.commit(generation, [{ topic, partition: 0, offset: 1n }])
  assert.equal(records.length, 1)
  assert.equal((await temp.log.read({ topic, partition: 0, offset: 0n }, 1)).length, 1)
  await temp.close()
})

test('logs that share a notifier wake each other without polling the file', async () => {
  const temp = await openTempLog()
  const notifier = createLogNotifier()
  const options = { path: temp.path, pollIntervalMs: 3_600_000 }
  const a = await openEmbeddedLog(options, { ...ports, notifier })
  const b = await openEmbeddedLog(options, { ...ports, notifier })
  await a.createTopics([{ name: topic, partitions: 1 }])
  const consumer = await b.consumer({ groupId: 'g', topics: [topic] })
  const waiting = consumer.poll({ maxRecords: 1, timeoutMs: 3_600_000 })
  await (await a.producer()).send([{ topic, value: 'x' }])
  assert.equal((await waiting).records.length, 1)
  await a.close()
  await b.close()
  await temp.close()
})

test('logs that share nothing but the file wake each other by looking at it', async () => {
  const temp = await openTempLog({ pollIntervalMs: 10 })
  const other = await temp.another()
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  const consumer = await other.consumer({ groupId: 'g', topics: [topic] })
  const waiting = consumer.poll({ maxRecords: 1, timeoutMs: 3_600_000 })
  await (await temp.log.producer()).send([{ topic, value: 'x' }])
  assert.equal((await waiting).records.length, 1)
  await temp.close()
})

test('a member that fell silent is expired by the others, who take its partitions', async () => {
  const temp = await openTempLog()
  await temp.log.createTopics([{ name: topic, partitions: 2 }])
  await (await temp.log.producer()).send([{ topic, partition: 0, value: 'x' }])
  const session = { sessionTimeoutMs: 300, heartbeatIntervalMs: 40 }
  const options = { groupId: 'g', topics: [topic], ...session }
  const lasting = await temp.log.consumer(options)
  insertSilentMember(temp.path)
  const owns = (one: Consumer) => one.assignment().partitions.length
  while (owns(lasting) !== 1) await lasting.poll({ maxRecords: 1, timeoutMs: 20 })
  const before = lasting.assignment().generation
  while (owns(lasting) !== 2) await lasting.poll({ maxRecords: 1, timeoutMs: 20 })
  assert.ok(lasting.assignment().generation > before)
  await temp.close()
})

test('a consumer that is closed while it joins again leaves no member behind', async () => {
  const temp = await openTempLog()
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  const consumer = await temp.log.consumer({ groupId: 'g', topics: [topic] })
  const db = new DatabaseSync(temp.path, { timeout: 5_000 })
  db.exec('DELETE FROM members')
  const waiting = consumer.poll({ maxRecords: 1, timeoutMs: 3_600_000 })
  await consumer.close()
  await waiting
  assert.equal(db.prepare('SELECT count(*) AS n FROM members').get()!['n'], 0)
  db.close()
  await temp.close()
})

test('a record with an impossible timestamp is refused', async () => {
  const temp = await openTempLog()
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  const producer = await temp.log.producer()
  const record = { topic, value: 'x', timestamp: Number.NaN }
  await assert.rejects(producer.send([record]), { code: 'INVARIANT' })
  await temp.close()
})

test('a loop of polls does not keep timers from running', async () => {
  const temp = await openTempLog()
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  const consumer = await temp.log.consumer({ groupId: 'g', topics: [topic] })
  let fired = false
  setTimeout(() => {
    fired = true
  }, 1)
  for (let polls = 0; !fired; polls++) {
    assert.ok(polls < 100_000, 'the timer never ran')
    await consumer.poll({ maxRecords: 1, timeoutMs: 0 })
  }
  await temp.close()
})

test('the write-ahead log stays short however fast records come', async () => {
  const temp = await openTempLog()
  await temp.log.createTopics([{ name: topic, partitions: 1 }])
  const producer = await temp.log.producer()
  const value = Buffer.alloc(64 << 10, 7)
  const batch = Array.from({ length: 64 }, () => ({ topic, value }))
  const rounds = Array.from({ length: 30 }, () => producer.send(batch))
  await Promise.all(rounds)
  const walBytes = statSync(`${temp.path}-wal`).size
  assert.ok(walBytes < 64 << 20, `${walBytes} of ${30 * (4 << 20)} bytes`)
  assert.ok(statSync(temp.path).size > 64 << 20)
  const last = await temp.log.read({ topic, partition: 0, offset: 1_919n }, 1)
  assert.ok(value.equals(last[0]!.value!))
  await temp.close()
})

function memberBeat(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const beat = Number(db.prepare('SELECT beat FROM members').get()!['beat'])
  db.close()
  return beat
}

/** What a process of another namespace leaves behind when it dies: a row that beats no more. */
function insertSilentMember(path: string): void {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  db.exec(`
    BEGIN IMMEDIATE;
    INSERT INTO members (group_id, member_id, topic_ids, session_timeout_ms, beat, process)
      SELECT id, 'silent', '[1]', 300, 0, NULL FROM groups;
    UPDATE groups SET generation = generation + 1;
    UPDATE assignments SET member_id = 'silent' WHERE partition_id = 1;
    COMMIT`)
  db.close()
}
