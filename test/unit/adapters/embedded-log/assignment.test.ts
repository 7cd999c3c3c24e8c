import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assignPartitions } from '../../../../src/adapters/embedded-log/assignment.ts'

const topicsOf = (sizes: readonly number[]) => {
  let next = 0
  return sizes.map((size, index) => ({
    topicId: index + 1,
    partitionIds: Array.from({ length: size }, () => next++)
  }))
}

function loads(owners: Map<number, string>, members: readonly { memberId: string }[]): number[] {
  return members.map(member => [...owners.values()].filter(id => id === member.memberId).length)
}

const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts)

test('members with equal subscriptions differ by at most one, per topic and in total', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 1, max: 7 }),
      (sizes, count) => {
        const topics = topicsOf(sizes)
        const topicIds = topics.map(topic => topic.topicId)
        const members = Array.from({ length: count }, (_, i) => ({ memberId: `m${i}`, topicIds }))
        const owners = assignPartitions(members, topics)
        assert.ok(spread(loads(owners, members)) <= 1)
        for (const topic of topics) {
          const own = new Map([...owners].filter(([id]) => topic.partitionIds.includes(id)))
          assert.ok(spread(loads(own, members)) <= 1)
        }
      }
    )
  )
})

test('each partition with a subscriber has exactly one owner, who subscribed to it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 6 })), { maxLength: 6 }),
      (sizes, subscriptions) => {
        const topics = topicsOf(sizes)
        const members = subscriptions.map((topicIds, i) => ({ memberId: `m${i}`, topicIds }))
        const owners = assignPartitions(members, topics)
        for (const { topicId, partitionIds } of topics) {
          const eligible = members.filter(one => one.topicIds.includes(topicId))
          for (const id of partitionIds) {
            const owner = owners.get(id)
            assert.equal(owner !== undefined, eligible.length > 0)
            if (owner !== undefined) assert.ok(eligible.some(one => one.memberId === owner))
          }
        }
      }
    )
  )
})

test('many topics of one partition spread over the members', () => {
  const topics = topicsOf([1, 1, 1, 1, 1, 1, 1, 1])
  const topicIds = topics.map(topic => topic.topicId)
  const members = ['a', 'b'].map(memberId => ({ memberId, topicIds }))
  assert.deepEqual(loads(assignPartitions(members, topics), members), [4, 4])
})
