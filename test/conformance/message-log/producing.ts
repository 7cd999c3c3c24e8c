import assert from 'node:assert/strict'
import { numbered, rejectsWith, type Suite, take, text } from './harness.ts'

/** Sending: G1, G2, what is kept of a record, where it goes. */
export function producingTests({ test }: Suite): void {
  test('send tells partition and offset of each record in the order of the call', async f => {
    const topic = await f.topic(2)
    const producer = await f.producer()
    const sent = await producer.send([
      { topic, partition: 1, value: 'a' },
      { topic, partition: 0, value: 'b' },
      { topic, partition: 1, value: 'c' }
    ])
    assert.deepEqual(
      sent.map(one => [one.topic, one.partition]),
      [
        [topic, 1],
        [topic, 0],
        [topic, 1]
      ]
    )
    for (const [index, value] of ['a', 'b', 'c'].entries()) {
      const place = sent[index]!
      const [record] = await f.log.read(place, 1)
      assert.equal(record!.offset, place.offset)
      assert.equal(text(record!), value)
    }
  })

  test('offsets of a partition start at 0 and grow', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    const sent = await producer.send(numbered(topic, 50))
    assert.equal(sent[0]!.offset, 0n)
    for (const [index, one] of sent.entries()) {
      if (index > 0) assert.ok(one.offset > sent[index - 1]!.offset)
    }
  })

  test('offsets are not used again after the records were deleted', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    const last = (await producer.send(numbered(topic, 3))).at(-1)!
    await f.log.deleteRecords([{ topic, partition: 0, offset: last.offset + 1n }])
    const [next] = await producer.send([{ topic, value: 'x' }])
    assert.ok(next!.offset > last.offset)
  })

  test('an empty send is done at once', async f => {
    assert.deepEqual(await (await f.producer()).send([]), [])
  })

  test('keys, values, headers and timestamps come back as they were sent', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const headers = { event_id: 'e-1', 'naïve ☃': 'wert 🙂', empty: '' }
    await producer.send([
      { topic, key: bytes, value: bytes, headers, timestamp: 1_700_000_000_123 },
      { topic, key: 'schlüssel', value: '{"ä":1}' },
      { topic, key: null, value: null, timestamp: 0 },
      { topic, value: new Uint8Array(0) }
    ])
    const [binary, utf8, nulls, empty] = await f.log.read({ topic, partition: 0, offset: 0n }, 10)
    assert.deepEqual(Buffer.from(binary!.key!), Buffer.from(bytes))
    assert.deepEqual(Buffer.from(binary!.value!), Buffer.from(bytes))
    assert.deepEqual({ ...binary!.headers }, headers)
    assert.equal(binary!.timestamp, 1_700_000_000_123)
    assert.equal(Buffer.from(utf8!.key!).toString(), 'schlüssel')
    assert.equal(text(utf8!), '{"ä":1}')
    assert.deepEqual({ ...utf8!.headers }, {})
    assert.equal(nulls!.key, null)
    assert.equal(nulls!.value, null)
    assert.equal(nulls!.timestamp, 0)
    assert.equal(empty!.value!.length, 0)
  })

  test('a consumer gets the same record as read does', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    await producer.send([
      { topic, key: 'k', value: new Uint8Array([0, 255, 128]), headers: { a: 'b' }, timestamp: 5 }
    ])
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const [polled] = await take(consumer, 1, f.limits.waitMs)
    const [read] = await f.log.read({ topic, partition: 0, offset: 0n }, 1)
    assert.deepEqual(plain(polled!), plain(read!))
  })

  test('a record without a timestamp gets the time of sending', async f => {
    const topic = await f.topic()
    const before = Date.now()
    await (await f.producer()).send([{ topic, value: 'x' }])
    const [record] = await f.log.read({ topic, partition: 0, offset: 0n }, 1)
    assert.ok(record!.timestamp >= before - 60_000)
    assert.ok(record!.timestamp <= Date.now() + 60_000)
  })

  test('a key goes to the partition that the Java client would choose', async f => {
    const topic = await f.topic(7)
    // Hashes of the Java client's own tests.
    const hashes: Record<string, number> = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107
    }
    const producer = await f.producer()
    const keys = Object.keys(hashes)
    const sent = await producer.send(keys.map(key => ({ topic, key, value: 'x' })))
    for (const [index, key] of keys.entries()) {
      assert.equal(sent[index]!.partition, (hashes[key]! & 0x7fffffff) % 7, key)
    }
  })

  test('records without a key spread over all partitions, also when sent one by one', async f => {
    const topic = await f.topic(4)
    const producer = await f.producer()
    const used = new Set<number>()
    for (const record of numbered(topic, 32)) {
      const [sent] = await producer.send([record])
      used.add(sent!.partition)
    }
    assert.equal(used.size, 4)
  })

  test('concurrent sends lose and double nothing', async f => {
    const topic = await f.topic(3)
    const producers = [await f.producer(), await f.producer()]
    const sends = Array.from({ length: 60 }, (_, call) =>
      producers[call % 2]!.send(
        Array.from({ length: 10 }, (_, index) => ({ topic, value: `${call}-${index}` }))
      )
    )
    const places = (await Promise.all(sends)).flat()
    assert.equal(new Set(places.map(one => `${one.partition}/${one.offset}`)).size, 600)
    const values = new Set<string>()
    for (let partition = 0; partition < 3; partition++) {
      const records = await f.log.read({ topic, partition, offset: 0n }, 1_000)
      for (const record of records) values.add(text(record))
    }
    assert.equal(values.size, 600)
  })

  test('one send reaches several topics', async f => {
    const topics = [await f.topic(), await f.topic()]
    const producer = await f.producer()
    await producer.send(topics.map(topic => ({ topic, value: topic })))
    for (const topic of topics) {
      const [record] = await f.log.read({ topic, partition: 0, offset: 0n }, 1)
      assert.equal(text(record!), topic)
    }
  })

  test('values of 900 KB come back whole', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    const values = [1, 2, 3].map(fill => Buffer.alloc(900_000, fill))
    await producer.send(values.map(value => ({ topic, value })))
    const consumer = await f.consumer({ groupId: f.group(), topics: [topic] })
    const records = await take(consumer, 3, f.limits.waitMs)
    for (const [index, value] of values.entries()) {
      assert.ok(value.equals(records[index]!.value!))
    }
  })

  test('a record beyond the size limit is refused, and the producer goes on', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    const value = Buffer.alloc(f.limits.tooLargeBytes)
    await rejectsWith(producer.send([{ topic, value }]), 'BROKER_RECORD_TOO_LARGE')
    await producer.send([{ topic, value: 'small' }])
    const records = await f.log.read({ topic, partition: 0, offset: 0n }, 10)
    assert.deepEqual(records.map(text), ['small'])
  })

  test('a topic or partition that does not exist is refused', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    await rejectsWith(
      producer.send([{ topic: `${topic}.missing`, value: 'x' }]),
      'BROKER_UNKNOWN_TOPIC'
    )
    await rejectsWith(producer.send([{ topic, partition: 7, value: 'x' }]), 'BROKER_UNKNOWN_TOPIC')
  })

  test('a closed producer refuses to send', async f => {
    const topic = await f.topic()
    const producer = await f.producer()
    await producer.close()
    await rejectsWith(producer.send([{ topic, value: 'x' }]), 'BROKER_CLOSED')
  })
}

function plain(record: object): object {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : structuredClone(value)
    ])
  )
}
