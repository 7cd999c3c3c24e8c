import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Assignment,
  assign,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription
} from '../../../../src/adapters/kafka/assignor.ts'
import type { TopicPartition } from '../../../../src/ports/index.ts'

const TOPICS = ['a', 'b', 'c']
const member = (memberId: string, owned: readonly TopicPartition[] = [], generation = 1) => ({
  memberId,
  topics: ['a'],
  owned,
  generation
})
const counts = (n: number): Map<string, number> => new Map([['a', n]])
const names = (list: readonly TopicPartition[] = []): string[] =>
  list.map(one => `${one.topic}${one.partition}`).sort()

describe('the assignment of partitions to the members of a Kafka group', () => {
  it('gives each partition to one member that wants it, and no member two more than another', () => {
    const members = fc.uniqueArray(
      fc.record({
        memberId: fc.string({ minLength: 1, maxLength: 6 }),
        owned: fc.array(
          fc.record({ topic: fc.constantFrom(...TOPICS), partition: fc.nat({ max: 9 }) }),
          { maxLength: 12 }
        ),
        generation: fc.integer({ min: -1, max: 4 })
      }),
      { selector: one => one.memberId, minLength: 1, maxLength: 6 }
    )
    const partitions = fc.tuple(fc.nat({ max: 8 }), fc.nat({ max: 8 }), fc.nat({ max: 8 }))
    fc.assert(
      fc.property(members, partitions, (given, sizes) => {
        const subscriptions: Subscription[] = given.map(one => ({ ...one, topics: TOPICS }))
        const result = assign(
          subscriptions,
          new Map(TOPICS.map((name, i) => [name, sizes[i] ?? 0]))
        )
        const all = [...result.values()].flatMap(list => names(list))
        assert.equal(new Set(all).size, all.length, 'a partition is given twice')
        assert.equal(
          all.length,
          sizes.reduce((sum, size) => sum + size, 0)
        )
        const lengths = [...result.values()].map(list => list.length)
        assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1, lengths.join(' '))
        assert.deepEqual([...result.keys()].sort(), given.map(one => one.memberId).sort())
      })
    )
  })

  it('gives a topic only to those who want it', () => {
    const result = assign(
      [member('x'), { memberId: 'y', topics: ['b'], owned: [], generation: 1 }],
      new Map([
        ['a', 3],
        ['b', 1]
      ])
    )
    assert.deepEqual(names(result.get('x')), ['a0', 'a1', 'a2'])
    assert.deepEqual(names(result.get('y')), ['b0'])
  })

  it('lets everybody keep what they had when a member leaves', () => {
    const before = assign([member('x'), member('y'), member('z')], counts(6))
    const after = assign(
      ['x', 'y'].map(name => member(name, before.get(name))),
      counts(6)
    )
    for (const name of ['x', 'y']) assertKept(before, after, name)
  })

  it('takes no more away than a new member needs', () => {
    const before = assign([member('x'), member('y')], counts(6))
    const after = assign(
      [...['x', 'y'].map(name => member(name, before.get(name))), member('z', [], -1)],
      counts(6)
    )
    assert.equal(after.get('z')?.length, 2)
    const kept = ['x', 'y'].flatMap(name =>
      names(after.get(name)).filter(one => names(before.get(name)).includes(one))
    )
    assert.equal(kept.length, 4)
  })

  it('believes the member of the newest generation of two that claim a partition', () => {
    const claim = [{ topic: 'a', partition: 0 }]
    const result = assign([member('slept', claim, 3), member('awake', claim, 7)], counts(2))
    assert.deepEqual(names(result.get('awake')), ['a0'])
    assert.deepEqual(names(result.get('slept')), ['a1'])
  })

  it('is the same whoever of the members works it out', () => {
    const members = ['x', 'y', 'z'].map(name => member(name))
    const text = (result: Assignment): string => JSON.stringify([...result].sort())
    assert.equal(text(assign(members, counts(7))), text(assign([...members].reverse(), counts(7))))
  })
})

describe('the bytes of subscriptions and assignments', () => {
  it('come back as what they were', () => {
    const owned = [
      { topic: 'a', partition: 3 },
      { topic: 'a', partition: 1 },
      { topic: 'ü', partition: 0 }
    ]
    const subscription = { topics: ['a', 'ü'], owned, generation: 12 }
    assert.deepEqual(decodeSubscription('m', encodeSubscription(subscription)), {
      memberId: 'm',
      ...subscription
    })
    assert.deepEqual(decodeAssignment(encodeAssignment(owned)), owned)
    assert.deepEqual(decodeAssignment(encodeAssignment([])), [])
  })

  it('of a member without user data mean that it had nothing', () => {
    // Version 0, one topic, no user data, as other clients write it.
    const metadata = Buffer.from('00000000000100016100000000', 'hex')
    assert.deepEqual(decodeSubscription('m', metadata), {
      memberId: 'm',
      topics: ['a'],
      owned: [],
      generation: -1
    })
    assert.deepEqual(decodeSubscription('m', null).topics, [])
  })
})

function assertKept(before: Assignment, after: Assignment, name: string): void {
  const kept = new Set(names(after.get(name)))
  for (const one of names(before.get(name))) assert.ok(kept.has(one), `${name} lost ${one}`)
}
