import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, LogRecord } from '../../../src/ports/index.ts'
import {
  after,
  type Fixture,
  numbered,
  pollSome,
  rejectsWith,
  type Suite,
  settle,
  shared,
  take
} from './harness.ts'

/** Several members: sharing, generations, fencing, leaving, expiry (G4, G5, G6). */
export function groupTests({ test }: Suite): void {
  test('two members share the partitions evenly, each has its own', async f => {
    const topic = await f.topic(4)
    const groupId = f.group()
    const members = [
      await f.consumer({ groupId, topics: [topic] }),
      await f.consumer({ groupId, topics: [topic] })
    ]
    await settle(members, () => shared(members, [2, 2]), f.limits.waitMs)
    assert.notEqual(members[0]!.memberId, members[1]!.memberId)
  })

  test('a member more than partitions has none and waits', async f => {
    const topic = await f.topic(1)
    const groupId = f.group()
    const members = [
      await f.consumer({ groupId, topics: [topic] }),
      await f.consumer({ groupId, topics: [topic] })
    ]
    await settle(members, () => shared(members, [0, 1]), f.limits.waitMs)
    await (await f.producer()).send(numbered(topic, 3))
    const idle = members.find(one => one.assignment().partitions.length === 0)!
    const busy = members.find(one => one !== idle)!
    await take(busy, 3, f.limits.waitMs)
    assert.deepEqual((await idle.poll({ maxRecords: 5, timeoutMs: 50 })).records, [])
  })

  test('a join starts a higher generation, and the commit of the old one is refused', async f => {
    const topic = await f.topic(2)
    const groupId = f.group()
    await (await f.producer()).send(numbered(topic, 20))
    const first = await f.consumer({ groupId, topics: [topic] })
    const old = await pollSome(first, 20, f.limits.waitMs)
    const second = await f.consumer({ groupId, topics: [topic] })
    const members = [first, second]
    await settle(members, () => shared(members, [1, 1]), f.limits.waitMs)
    assert.ok(first.assignment().generation > old.generation)
    await rejectsWith(first.commit(old.generation, after(old.records)), 'BROKER_FENCED')
    const lag = await f.log.groupLag(groupId, [topic])
    assert.deepEqual(
      lag.map(one => one.committed),
      [undefined, undefined]
    )
  })

  test('a generation that never was is refused', async f => {
    const topic = await f.topic()
    const groupId = f.group()
    await (await f.producer()).send(numbered(topic, 2))
    const consumer = await f.consumer({ groupId, topics: [topic] })
    const { generation, records } = await pollSome(consumer, 2, f.limits.waitMs)
    await rejectsWith(consumer.commit(generation + 1, after(records)), 'BROKER_FENCED')
    await consumer.commit(generation, after(records))
  })

  test('after a rebalance members continue at the committed offsets', async f => {
    const topic = await f.topic(2)
    const groupId = f.group()
    const producer = await f.producer()
    const first = await f.consumer({ groupId, topics: [topic] })
    await settle([first], () => first.assignment().partitions.length === 2, f.limits.waitMs)
    await producer.send([...numbered(topic, 10, 0), ...numbered(topic, 10, 1)])
    const records = await take(first, 20, f.limits.waitMs)
    assert.equal(records.length, 20)
    await first.commit(first.assignment().generation, [
      { topic, partition: 0, offset: 4n },
      { topic, partition: 1, offset: 7n }
    ])
    const second = await f.consumer({ groupId, topics: [topic] })
    const got = await takeTogether([first, second], 9, f.limits.waitMs)
    const firsts = [0, 1].map(partition => lowest(got, partition))
    assert.deepEqual(firsts, [4n, 7n])
  })

  test('a member that leaves hands over at once', async f => {
    const topic = await f.topic(3)
    const groupId = f.group()
    const options = { groupId, topics: [topic], sessionTimeoutMs: 10 * f.limits.waitMs }
    const members = [await f.consumer(options), await f.consumer(options)]
    await settle(members, () => shared(members, [1, 2]), f.limits.waitMs)
    await members[0]!.close()
    const rest = [members[1]!]
    await settle(rest, () => shared(rest, [3]), f.limits.waitMs)
  })

  test('a member stays while its batch takes longer than the session', async f => {
    const topic = await f.topic()
    const groupId = f.group()
    await (await f.producer()).send(numbered(topic, 3))
    const consumer = await f.consumer(shortSession(f, groupId, topic))
    const { generation, records } = await pollSome(consumer, 3, f.limits.waitMs)
    await sleep(2.5 * f.limits.shortSessionMs)
    await consumer.commit(generation, after(records))
    const [lag] = await f.log.groupLag(groupId, [topic])
    assert.equal(lag!.committed, BigInt(records.length))
  })

  test('a member that stalls beyond its session loses its partitions and may come back', async f => {
    const topic = await f.topic()
    const groupId = f.group()
    await (await f.producer()).send(numbered(topic, 3))
    const consumer = await f.consumer(shortSession(f, groupId, topic))
    const old = await pollSome(consumer, 3, f.limits.waitMs)
    blockEventLoop(2 * f.limits.shortSessionMs)
    await rejectsWith(consumer.commit(old.generation, after(old.records)), 'BROKER_FENCED')
    const [lag] = await f.log.groupLag(groupId, [topic])
    assert.equal(lag!.committed, undefined)
    const again = await pollSome(consumer, 3, f.limits.waitMs)
    assert.ok(again.generation > old.generation)
    assert.equal(again.records[0]!.offset, 0n)
    await consumer.commit(again.generation, after(again.records))
  })

  test('members that come and go process every record, and no range is committed twice', async f => {
    const topic = await f.topic(4)
    const groupId = f.group()
    const total = 400
    const producer = await f.producer()
    const committed: [number, bigint, bigint][] = []
    const done = () => committed.reduce((sum, [, from, to]) => sum + Number(to - from), 0) >= total
    const work = async (consumer: Consumer, batches: number) => {
      const deadline = Date.now() + f.limits.waitMs * 2
      for (let batch = 0; batch < batches && !done(); batch++) {
        assert.ok(Date.now() < deadline, 'records were not processed')
        const polled = await consumer.poll({ maxRecords: 10, timeoutMs: 20 })
        if (polled.records.length > 0) await tryCommit(consumer, polled, committed)
      }
    }
    const lasting = await f.consumer({ groupId, topics: [topic] })
    const produce = async () => {
      for (let sent = 0; sent < total; sent += 20) await producer.send(numbered(topic, 20))
    }
    const guests = async () => {
      for (let guest = 0; guest < 3; guest++) {
        const consumer = await f.consumer({ groupId, topics: [topic] })
        await work(consumer, 8)
        await consumer.close()
      }
    }
    await Promise.all([produce(), guests(), work(lasting, Number.POSITIVE_INFINITY)])
    assertDisjoint(committed)
    const lag = await f.log.groupLag(groupId, [topic])
    assert.equal(
      lag.reduce((sum, one) => sum + Number(one.lag), 0),
      0
    )
  })
}

function shortSession(f: Fixture, groupId: string, topic: string) {
  return {
    groupId,
    topics: [topic],
    sessionTimeoutMs: f.limits.shortSessionMs,
    heartbeatIntervalMs: f.limits.shortSessionMs / 6
  }
}

async function tryCommit(
  consumer: Consumer,
  polled: { generation: number; records: readonly LogRecord[] },
  committed: [number, bigint, bigint][]
): Promise<void> {
  try {
    await consumer.commit(polled.generation, after(polled.records))
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'BROKER_FENCED')
    return
  }
  for (const { partition, offset } of after(polled.records)) {
    const from = lowest(polled.records, partition)
    committed.push([partition, from ?? offset, offset])
  }
}

function assertDisjoint(ranges: readonly [number, bigint, bigint][]): void {
  for (const partition of new Set(ranges.map(range => range[0]))) {
    const sorted = ranges.filter(one => one[0] === partition).sort((a, b) => Number(a[1] - b[1]))
    let end = 0n
    for (const [, from, to] of sorted) {
      assert.equal(from, end, `partition ${partition}: a range is missing or committed twice`)
      end = to
    }
  }
}

async function takeTogether(
  consumers: readonly Consumer[],
  count: number,
  waitMs: number
): Promise<LogRecord[]> {
  const got: LogRecord[] = []
  await settle(
    [],
    async () => {
      const polls = consumers.map(one => one.poll({ maxRecords: 50, timeoutMs: 50 }))
      for (const { records } of await Promise.all(polls)) got.push(...records)
      return got.length >= count
    },
    waitMs
  )
  return got
}

function lowest(records: readonly LogRecord[], partition: number): bigint | undefined {
  return records.find(one => one.partition === partition)?.offset
}

function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
