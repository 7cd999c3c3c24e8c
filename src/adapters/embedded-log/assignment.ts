/**
 * Which member reads which partition. Pure and deterministic: the same members in the same order give
 * the same result in every process (docs/specs/embedded-log.md section 4).
 */
export interface Subscriber {
  readonly memberId: string
  readonly topicIds: readonly number[]
}

export interface TopicPartitions {
  readonly topicId: number
  /** Partition ids in partition order. */
  readonly partitionIds: readonly number[]
}

/**
 * Partition id to member id. Each partition goes to the subscriber that has the fewest of its topic,
 * then the fewest in all, then to the one that joined first. With equal subscriptions any two members
 * therefore differ by at most one partition, per topic and in total. Topics with few subscribers go
 * first, so that the others even out what they left.
 */
export function assignPartitions(
  members: readonly Subscriber[],
  topics: readonly TopicPartitions[]
): Map<number, string> {
  const totals = new Map(members.map(member => [member.memberId, 0]))
  const owners = new Map<number, string>()
  const queue = topics
    .map(topic => ({
      topic,
      eligible: members.filter(member => member.topicIds.includes(topic.topicId))
    }))
    .sort((a, b) => a.eligible.length - b.eligible.length || a.topic.topicId - b.topic.topicId)
  for (const { topic, eligible } of queue) {
    const ofTopic = new Map<string, number>()
    for (const partitionId of topic.partitionIds) {
      const owner = leastLoaded(eligible, ofTopic, totals)
      if (owner === undefined) break
      owners.set(partitionId, owner)
      ofTopic.set(owner, (ofTopic.get(owner) ?? 0) + 1)
      totals.set(owner, (totals.get(owner) ?? 0) + 1)
    }
  }
  return owners
}

function leastLoaded(
  eligible: readonly Subscriber[],
  ofTopic: ReadonlyMap<string, number>,
  totals: ReadonlyMap<string, number>
): string | undefined {
  let best: { id: string; topic: number; total: number } | undefined
  for (const { memberId } of eligible) {
    const topic = ofTopic.get(memberId) ?? 0
    const total = totals.get(memberId) ?? 0
    if (best === undefined || topic < best.topic || (topic === best.topic && total < best.total)) {
      best = { id: memberId, topic, total }
    }
  }
  return best?.id
}
