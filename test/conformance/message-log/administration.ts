import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { numbered, pollSome, rejectsWith, type Suite, text } from './harness.ts'

/** Topics, lag, reading without a group, purging, closing. */
export function administrationTests({ test }: Suite): void {
  test('describes topics by name, sorted, with partitions and retention', async f => {
    const plain = await f.topic(3)
    const kept = await f.topic(1, 86_400_000)
    await (await f.producer()).send(numbered(plain, 4, 2))
    const missing = `missing.${randomUUID()}`
    const described = await f.log.describeTopics([plain, missing, kept])
    assert.deepEqual(
      described.map(one => one.name),
      [plain, kept].sort()
    )
    const one = described.find(topic => topic.name === plain)!
    assert.deepEqual(one.partitions, [
      { partition: 0, earliest: 0n, end: 0n },
      { partition: 1, earliest: 0n, end: 0n },
      { partition: 2, earliest: 0n, end: 4n }
    ])
    assert.equal(one.retentionMs, undefined)
    assert.equal(described.find(topic => topic.name === kept)!.retentionMs, 86_400_000)
    const all = (await f.log.describeTopics()).map(topic => topic.name)
    assert.ok(all.includes(plain) && all.includes(kept))
    assert.deepEqual(all, [...all].sort())
  })

  test('creating a topic that exists leaves it as it is', async f => {
    const topic = await f.topic(2)
    await (await f.producer()).send(numbered(topic, 5, 1))
    const fresh = `fresh.${randomUUID()}`
    await f.log.createTopics([
      { name: topic, partitions: 6 },
      { name: fresh, partitions: 1 }
    ])
    const described = await f.log.describeTopics([topic, fresh])
    const old = described.find(one => one.name === topic)!
    assert.deepEqual(
      old.partitions.map(one => one.end),
      [0n, 5n]
    )
    assert.equal(described.length, 2)
  })

  test('lag counts what is not committed, also without a member', async f => {
    const topic = await f.topic(2)
    const groupId = f.group()
    await (await f.producer()).send([...numbered(topic, 8, 0), ...numbered(topic, 3, 1)])
    assert.deepEqual(await f.log.groupLag(groupId, [topic]), [
      { topic, partition: 0, committed: undefined, end: 8n, lag: 8n },
      { topic, partition: 1, committed: undefined, end: 3n, lag: 3n }
    ])
    const consumer = await f.consumer({ groupId, topics: [topic] })
    const { generation } = await pollSome(consumer, 1, f.limits.waitMs)
    await consumer.commit(generation, [{ topic, partition: 0, offset: 5n }])
    await consumer.close()
    assert.deepEqual(await f.log.groupLag(groupId, [topic]), [
      { topic, partition: 0, committed: 5n, end: 8n, lag: 3n },
      { topic, partition: 1, committed: undefined, end: 3n, lag: 3n }
    ])
  })

  test('the position of a group without members can be set, and its members begin there', async f => {
    const topic = await f.topic(2)
    const groupId = f.group()
    await (await f.producer()).send([...numbered(topic, 8, 0), ...numbered(topic, 3, 1)])
    await f.log.setGroupOffsets(groupId, [
      { topic, partition: 0, offset: 6n },
      { topic, partition: 1, offset: 3n }
    ])
    const lag = await f.log.groupLag(groupId, [topic])
    assert.deepEqual(
      lag.map(one => one.committed),
      [6n, 3n]
    )
    const consumer = await f.consumer({ groupId, topics: [topic] })
    const { records } = await pollSome(consumer, 10, f.limits.waitMs)
    assert.deepEqual(records.map(text), ['6', '7'])
    await rejectsWith(
      f.log.setGroupOffsets(groupId, [{ topic, partition: 0, offset: 0n }]),
      'BROKER_GROUP_IN_USE'
    )
    await consumer.close()
    await f.log.setGroupOffsets(groupId, [{ topic, partition: 0, offset: 1n }])
    const [first] = await f.log.groupLag(groupId, [topic])
    assert.equal(first!.committed, 1n)
    await rejectsWith(
      f.log.setGroupOffsets(groupId, [{ topic, partition: 2, offset: 0n }]),
      'BROKER_UNKNOWN_TOPIC'
    )
  })

  test('lag of deleted records does not count', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 8))
    await f.log.deleteRecords([{ topic, partition: 0, offset: 6n }])
    const [lag] = await f.log.groupLag(f.group(), [topic])
    assert.equal(lag!.lag, 2n)
  })

  test('read gives records from an offset on, at most as many as asked for', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 1_500))
    const some = await f.log.read({ topic, partition: 0, offset: 3n }, 2)
    assert.deepEqual(some.map(text), ['3', '4'])
    const rest = await f.log.read({ topic, partition: 0, offset: 100n }, 10_000)
    assert.equal(rest.length, 1_400)
    assert.equal(text(rest.at(-1)!), '1499')
    assert.deepEqual(await f.log.read({ topic, partition: 0, offset: 1_500n }, 5), [])
  })

  test('deleteRecords removes what lies below, and nothing else', async f => {
    const topic = await f.topic(2)
    const producer = await f.producer()
    await producer.send([...numbered(topic, 700, 0), ...numbered(topic, 5, 1)])
    await f.log.deleteRecords([{ topic, partition: 0, offset: 690n }])
    await f.log.deleteRecords([{ topic, partition: 0, offset: 20n }])
    const [description] = await f.log.describeTopics([topic])
    assert.deepEqual(description!.partitions, [
      { partition: 0, earliest: 690n, end: 700n },
      { partition: 1, earliest: 0n, end: 5n }
    ])
    const left = await f.log.read({ topic, partition: 0, offset: 0n }, 1_000)
    assert.deepEqual(
      left.map(one => one.offset),
      Array.from({ length: 10 }, (_, index) => 690n + BigInt(index))
    )
    assert.equal((await f.log.read({ topic, partition: 1, offset: 0n }, 10)).length, 5)
  })

  test('what concerns a topic or partition that does not exist is refused', async f => {
    const topic = await f.topic(2)
    const groupId = f.group()
    const missing = `missing.${randomUUID()}`
    const code = 'BROKER_UNKNOWN_TOPIC'
    await rejectsWith(f.log.groupLag(groupId, [missing]), code)
    await rejectsWith(f.log.groupLag(groupId, [topic, missing]), code)
    for (const place of [
      { topic: missing, partition: 0 },
      { topic, partition: 2 }
    ]) {
      await rejectsWith(f.log.read({ ...place, offset: 0n }, 1), code)
      await rejectsWith(f.log.deleteRecords([{ ...place, offset: 1n }]), code)
    }
    assert.deepEqual(await f.log.describeTopics([missing]), [])
  })

  test('a log that was closed refuses everything', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await f.log.close()
    await f.log.close()
    await rejectsWith(producer.send([{ topic, value: 'x' }]), 'BROKER_CLOSED')
    await rejectsWith(consumer.poll({ maxRecords: 1, timeoutMs: 0 }), 'BROKER_CLOSED')
    await rejectsWith(f.log.producer(), 'BROKER_CLOSED')
    await rejectsWith(f.log.consumer({ groupId: 'g', topics: [topic] }), 'BROKER_CLOSED')
    await rejectsWith(f.log.describeTopics(), 'BROKER_CLOSED')
    await rejectsWith(f.log.createTopics([{ name: 'x', partitions: 1 }]), 'BROKER_CLOSED')
    await rejectsWith(f.log.read({ topic, partition: 0, offset: 0n }, 1), 'BROKER_CLOSED')
    await rejectsWith(f.log.groupLag('g', [topic]), 'BROKER_CLOSED')
    await rejectsWith(
      f.log.setGroupOffsets('g', [{ topic, partition: 0, offset: 0n }]),
      'BROKER_CLOSED'
    )
    await rejectsWith(f.log.deleteRecords([{ topic, partition: 0, offset: 0n }]), 'BROKER_CLOSED')
  })
}
