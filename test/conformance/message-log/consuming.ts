import assert from 'node:assert/strict'
import type { LogRecord } from '../../../src/ports/index.ts'
import {
  after,
  numbered,
  pollSome,
  rejectsWith,
  type Suite,
  settle,
  take,
  text
} from './harness.ts'

/** One consumer: positions, order, waiting, pausing, seeking (G2, G3). */
export function consumingTests({ test }: Suite): void {
  test('a new group begins at the earliest record, not at the end', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 5))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    assert.deepEqual((await take(consumer, 5, f.limits.waitMs)).map(text), [...'01234'])
  })

  test('each partition comes in offset order with none skipped, whatever the poll size', async f => {
    const topic = await f.topic(4)
    const sent = await (await f.producer()).send(numbered(topic, 500))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const records = await take(consumer, 500, f.limits.waitMs, 7)
    for (let partition = 0; partition < 4; partition++) {
      const offsets = (list: readonly { partition: number; offset: bigint }[]) =>
        list.filter(one => one.partition === partition).map(one => one.offset)
      assert.deepEqual(offsets(records), offsets(sent))
    }
  })

  test('a poll gives at most maxRecords', async f => {
    const topic = await f.topic(3)
    await (await f.producer()).send(numbered(topic, 60))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    let seen = 0
    await settle(
      [],
      async () => {
        const { records } = await consumer.poll({ maxRecords: 11, timeoutMs: 200 })
        assert.ok(records.length <= 11)
        seen += records.length
        return seen === 60
      },
      f.limits.waitMs
    )
  })

  test('maxBytes ends a poll early, but one record always comes', async f => {
    const topic = await f.topic()
    const value = Buffer.alloc(1_000, 1)
    await (await f.producer()).send(Array.from({ length: 20 }, () => ({ topic, value })))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const sizes: number[] = []
    await settle(
      [],
      async () => {
        const maxBytes = sizes.length === 0 ? 1 : 2_500
        const { records } = await consumer.poll({ maxRecords: 100, maxBytes, timeoutMs: 200 })
        if (records.length > 0) sizes.push(records.length)
        return sizes.reduce((a, b) => a + b, 0) === 20
      },
      f.limits.waitMs
    )
    assert.equal(sizes[0], 1)
    assert.ok(
      sizes.every(size => size <= 3),
      String(sizes)
    )
  })

  test('a full partition does not keep the others waiting', async f => {
    const topic = await f.topic(4)
    const producer = await f.producer()
    await producer.send(numbered(topic, 2_000, 0))
    for (const partition of [1, 2, 3]) await producer.send(numbered(topic, 1, partition))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const seen: LogRecord[] = []
    const small = () => new Set(seen.filter(one => one.partition > 0).map(one => one.partition))
    await settle(
      [],
      async () => {
        seen.push(...(await consumer.poll({ maxRecords: 20, timeoutMs: 200 })).records)
        return small().size === 3
      },
      f.limits.waitMs
    )
    assert.ok(seen.filter(one => one.partition === 0).length < 2_000)
  })

  test('single-record polls take turns over the partitions', async f => {
    const topic = await f.topic(3)
    const producer = await f.producer()
    for (const partition of [0, 1, 2]) await producer.send(numbered(topic, 300, partition))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const records = await take(consumer, 450, f.limits.waitMs, 1)
    assert.equal(new Set(records.map(one => one.partition)).size, 3)
  })

  test('one consumer reads several topics', async f => {
    const topics = [await f.topic(2), await f.topic(3)]
    await (await f.producer()).send(topics.flatMap(topic => numbered(topic, 30)))
    const consumer = await f.consumer({ groupId: f.group(), topics })
    const records = await take(consumer, 60, f.limits.waitMs)
    for (const topic of topics) {
      assert.equal(records.filter(one => one.topic === topic).length, 30)
    }
  })

  test('a waiting poll ends when a record comes', async f => {
    const topic = await f.topic()
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await settle([consumer], () => consumer.assignment().partitions.length === 1, f.limits.waitMs)
    const started = Date.now()
    const waiting = consumer.poll({ maxRecords: 1, timeoutMs: 10 * f.limits.waitMs })
    await (await f.producer()).send([{ topic, value: 'late' }])
    const { records } = await waiting
    assert.ok(Date.now() - started < f.limits.waitMs)
    assert.deepEqual(records.map(text), ['late'])
  })

  test('a poll without a record ends empty at its time-out', async f => {
    const topic = await f.topic()
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    for (const timeoutMs of [0, 30]) {
      assert.deepEqual((await consumer.poll({ maxRecords: 5, timeoutMs })).records, [])
    }
  })

  test('an aborted poll ends empty and loses nothing', async f => {
    const topic = await f.topic()
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const controller = new AbortController()
    const timeoutMs = 10 * f.limits.waitMs
    const waiting = consumer.poll({ maxRecords: 5, timeoutMs, signal: controller.signal })
    controller.abort()
    assert.deepEqual((await waiting).records, [])
    await (await f.producer()).send([{ topic, value: 'kept' }])
    const again = await consumer.poll({ maxRecords: 5, timeoutMs, signal: controller.signal })
    assert.deepEqual(again.records, [])
    assert.deepEqual((await take(consumer, 1, f.limits.waitMs)).map(text), ['kept'])
  })

  test('the next member continues at the committed offset', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 10))
    const groupId = f.group()
    const first = await f.consumer({ groupId, topics: [topic] })
    const { generation, records } = await pollSome(first, 4, f.limits.waitMs)
    await first.commit(generation, after(records))
    await take(first, 10 - records.length, f.limits.waitMs)
    await first.close()
    const second = await f.consumer({ groupId, topics: [topic] })
    const rest = await take(second, 10 - records.length, f.limits.waitMs)
    assert.equal(text(rest[0]!), String(records.length))
  })

  test('groups do not disturb each other', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 5))
    for (const groupId of [f.group(), f.group()]) {
      const consumer = await f.consumer({ groupId, topics: [topic] })
      const records = await take(consumer, 5, f.limits.waitMs)
      await consumer.commit(consumer.assignment().generation, after(records))
      assert.equal(records.length, 5)
    }
  })

  test('records and commits survive closing and opening again', async f => {
    if (f.reopen === undefined) return
    const topic = await f.topic()
    const groupId = f.group()
    await (await f.producer()).send(numbered(topic, 10))
    const consumer = await f.consumer({ groupId, topics: [topic] })
    const { generation, records } = await pollSome(consumer, 3, f.limits.waitMs)
    await consumer.commit(generation, after(records))
    const log = await f.reopen()
    const [next] = await (await log.producer()).send([{ topic, value: 'new' }])
    assert.equal(next!.offset, 10n)
    const again = await log.consumer({ groupId, topics: [topic] })
    const rest = await take(again, 11 - records.length, f.limits.waitMs)
    assert.equal(rest[0]!.offset, BigInt(records.length))
    assert.equal(text(rest.at(-1)!), 'new')
  })

  test('a paused partition gives nothing until it is resumed', async f => {
    const topic = await f.topic(2)
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await settle([consumer], () => consumer.assignment().partitions.length === 2, f.limits.waitMs)
    consumer.pause([{ topic, partition: 0 }])
    const producer = await f.producer()
    await producer.send(numbered(topic, 20, 0))
    await producer.send(numbered(topic, 20, 1))
    const open = await take(consumer, 20, f.limits.waitMs)
    assert.ok(open.every(one => one.partition === 1))
    assert.deepEqual((await consumer.poll({ maxRecords: 50, timeoutMs: 100 })).records, [])
    consumer.resume([{ topic, partition: 0 }])
    const resumed = await take(consumer, 20, f.limits.waitMs)
    assert.deepEqual(
      resumed.map(one => [one.partition, one.offset]),
      Array.from({ length: 20 }, (_, index) => [0, BigInt(index)])
    )
  })

  test('seek goes back and forth; partitions of others are ignored', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 10))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await take(consumer, 10, f.limits.waitMs)
    consumer.seek([
      { topic, partition: 0, offset: 2n },
      { topic: `${topic}.other`, partition: 0, offset: 5n }
    ])
    assert.deepEqual((await take(consumer, 8, f.limits.waitMs)).map(text), [...'23456789'])
    consumer.seek([{ topic, partition: 0, offset: 9n }])
    assert.deepEqual((await take(consumer, 1, f.limits.waitMs)).map(text), ['9'])
  })

  test('seekToCommitted repeats what was not committed', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 6))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await take(consumer, 6, f.limits.waitMs)
    await consumer.seekToCommitted()
    const all = await take(consumer, 6, f.limits.waitMs)
    assert.equal(all[0]!.offset, 0n)
    await consumer.commit(consumer.assignment().generation, [{ topic, partition: 0, offset: 4n }])
    await consumer.seekToCommitted()
    assert.deepEqual((await take(consumer, 2, f.limits.waitMs)).map(text), ['4', '5'])
  })

  test('an offset below the earliest record continues at the earliest', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 10))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await take(consumer, 10, f.limits.waitMs)
    await f.log.deleteRecords([{ topic, partition: 0, offset: 6n }])
    consumer.seek([{ topic, partition: 0, offset: 1n }])
    assert.deepEqual((await take(consumer, 4, f.limits.waitMs)).map(text), [...'6789'])
  })

  test('an offset beyond the end continues at the earliest, it never skips', async f => {
    const topic = await f.topic()
    await (await f.producer()).send(numbered(topic, 3))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    await take(consumer, 3, f.limits.waitMs)
    consumer.seek([{ topic, partition: 0, offset: 1_000n }])
    assert.deepEqual((await take(consumer, 3, f.limits.waitMs)).map(text), ['0', '1', '2'])
  })

  test('a consumer owns nothing before its first poll', async f => {
    const topic = await f.topic(3)
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    assert.deepEqual(consumer.assignment().partitions, [])
    await settle([consumer], () => consumer.assignment().partitions.length === 3, f.limits.waitMs)
  })

  test('a consumer of an unknown topic is refused', async f => {
    const topic = await f.topic()
    await rejectsWith(
      f.consumer({ groupId: f.group(), topics: [topic, `${topic}.missing`] }),
      'BROKER_UNKNOWN_TOPIC'
    )
  })

  test('a closed consumer refuses to poll and to commit, and ends the poll that waits', async f => {
    const topic = await f.topic()
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const started = Date.now()
    const waiting = consumer.poll({ maxRecords: 1, timeoutMs: 10 * f.limits.waitMs })
    await consumer.close()
    assert.deepEqual((await waiting).records, [])
    assert.ok(Date.now() - started < f.limits.waitMs)
    await rejectsWith(consumer.poll({ maxRecords: 1, timeoutMs: 0 }), 'BROKER_CLOSED')
    await rejectsWith(consumer.commit(1, [{ topic, partition: 0, offset: 0n }]), 'BROKER_CLOSED')
    await consumer.close()
  })
}
