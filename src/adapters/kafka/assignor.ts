/**
 * How partitions are spread over the members of a group: evenly, and each stays where it was as far as that allows.
 * The member that the coordinator made the leader does it for all. What a member had, it says itself in the user data of
 * its subscription, with the generation, so that a member that slept claims nothing that others were given since.
 */
import { Reader, Writer } from '@platformatic/kafka'
import type { TopicPartition } from '../../ports/index.ts'

/** Name of the protocol among the members: all must know it. */
export const ASSIGNOR = 'claims-pipeline-sticky-1'

export interface Subscription {
  readonly memberId: string
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

/** `partitions`: number of partitions of each topic. */
export function assign(
  members: readonly Subscription[],
  partitions: ReadonlyMap<string, number>
): Assignment {
  const all = [...partitions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    )
  const result = new Map<string, TopicPartition[]>()
  for (const { memberId } of [...members].sort(byId)) result.set(memberId, [])
  const wants = new Map(members.map(member => [member.memberId, new Set(member.topics)]))
  const most = Math.ceil(all.length / Math.max(1, members.length))
  const taken = new Set<string>()
  // The newest generation first: of two that claim a partition the later one had it.
  for (const member of [...members].sort((a, b) => b.generation - a.generation || byId(a, b))) {
    const mine = result.get(member.memberId) ?? []
    for (const one of member.owned) {
      const key = `${one.topic}:${one.partition}`
      const exists = one.partition < (partitions.get(one.topic) ?? 0)
      const wanted = wants.get(member.memberId)?.has(one.topic) === true
      if (!exists || !wanted || taken.has(key) || mine.length >= most) continue
      taken.add(key)
      mine.push({ topic: one.topic, partition: one.partition })
    }
  }
  for (const one of all) {
    if (taken.has(`${one.topic}:${one.partition}`)) continue
    const least = fewest(result, member => wants.get(member)?.has(one.topic) === true)
    if (least !== undefined) result.get(least)?.push(one)
  }
  level(result, wants)
  return result
}

/** Moves single partitions until no member has two more than another that may take one. */
function level(
  result: Map<string, TopicPartition[]>,
  wants: ReadonlyMap<string, ReadonlySet<string>>
): void {
  for (let moved = true; moved; ) {
    moved = false
    for (const [member, mine] of result) {
      for (let i = mine.length - 1; i >= 0; i--) {
        const one = mine[i] as TopicPartition
        const other = fewest(result, name => wants.get(name)?.has(one.topic) === true)
        if (other === undefined || other === member) continue
        const theirs = result.get(other) as TopicPartition[]
        if (theirs.length + 1 >= mine.length) continue
        mine.splice(i, 1)
        theirs.push(one)
        moved = true
      }
    }
  }
}

function fewest(
  result: ReadonlyMap<string, readonly TopicPartition[]>,
  may: (member: string) => boolean
): string | undefined {
  let least: string | undefined
  let size = Number.POSITIVE_INFINITY
  for (const [member, list] of result) {
    if (list.length >= size || !may(member)) continue
    least = member
    size = list.length
  }
  return least
}

function byId(a: { memberId: string }, b: { memberId: string }): number {
  return a.memberId < b.memberId ? -1 : 1
}

/*
 * ConsumerProtocolSubscription, version 0 (apache/kafka:clients/src/main/resources/common/message):
 *   version => INT16, topics => [STRING], user_data => BYTES
 * User data, ours: generation => INT32, [topic => STRING, partitions => [INT32]]
 */
export function encodeSubscription(subscription: Omit<Subscription, 'memberId'>): Buffer {
  const userData = Writer.create().appendInt32(subscription.generation)
  appendPartitions(userData, subscription.owned)
  return Writer.create()
    .appendInt16(0)
    .appendArray([...subscription.topics], (w, topic) => w.appendString(topic, false), false, false)
    .appendBytes(userData.buffer, false).buffer
}

export function decodeSubscription(memberId: string, metadata: Buffer | null): Subscription {
  const none = { memberId, topics: [], owned: [], generation: -1 }
  if (metadata === null || metadata.length === 0) return none
  const reader = Reader.from(metadata)
  reader.readInt16()
  const topics = reader.readArray(r => r.readString(false), false, false)
  const userData = reader.readBytes(false)
  if (userData.length === 0) return { ...none, topics }
  const inner = Reader.from(userData)
  const generation = inner.readInt32()
  return { memberId, topics, generation, owned: readPartitions(inner) }
}

/*
 * ConsumerProtocolAssignment, version 0: version => INT16, [topic => STRING, partitions => [INT32]],
 * user_data => BYTES
 */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const writer = Writer.create().appendInt16(0)
  appendPartitions(writer, partitions)
  return writer.appendInt32(0).buffer
}

export function decodeAssignment(assignment: Buffer): TopicPartition[] {
  if (assignment.length < 6) return []
  const reader = Reader.from(assignment)
  reader.readInt16()
  return readPartitions(reader)
}

function appendPartitions(writer: Writer, partitions: readonly TopicPartition[]): void {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  }
  const array = (w: Writer, [topic, list]: [string, number[]]): void => {
    w.appendString(topic, false).appendArray(
      list,
      (inner, one) => inner.appendInt32(one),
      false,
      false
    )
  }
  writer.appendArray([...byTopic], array, false, false)
}

function readPartitions(reader: Reader): TopicPartition[] {
  const topics = reader.readArray(
    r => ({
      topic: r.readString(false),
      partitions: r.readArray(inner => inner.readInt32(), false, false)
    }),
    false,
    false
  )
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(partition => ({ topic, partition }))
  )
}
