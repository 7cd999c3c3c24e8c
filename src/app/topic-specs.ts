/** The topics of the pipeline as they are created, and how those that exist differ from that. */
import type { Config } from '../config/index.ts'
import type { TopicDescription, TopicSpec } from '../ports/index.ts'
import { allTopics } from '../topology.ts'
import { logKind } from './message-log.ts'

/** Dead letters are kept until somebody removes them; everything else for the configured time. */
export function topicSpecs(config: Config): TopicSpec[] {
  const { partitions, retentionHours } = config.topics
  return allTopics().map(name =>
    name.endsWith('.dlq')
      ? { name, partitions }
      : { name, partitions, retentionMs: retentionHours * 3_600_000 }
  )
}

export interface TopicDifference {
  readonly topic: string
  readonly setting:
    | 'topic'
    | 'partitions'
    | 'retention'
    | 'replicas'
    | 'min.insync.replicas'
    | 'max.message.bytes'
  readonly expected: string
  readonly actual: string
}

/** In the order of the topics. What the log does not tell, or leaves to the brokers, is not compared. */
export function topicDifferences(
  expected: readonly TopicSpec[],
  found: readonly TopicDescription[],
  config: Config
): TopicDifference[] {
  const byName = new Map(found.map(topic => [topic.name, topic]))
  return expected.flatMap(spec => {
    const topic = byName.get(spec.name)
    if (topic === undefined) {
      return [{ topic: spec.name, setting: 'topic', expected: 'there', actual: 'missing' } as const]
    }
    return differences(spec, topic, config)
  })
}

function differences(spec: TopicSpec, topic: TopicDescription, config: Config): TopicDifference[] {
  const list: TopicDifference[] = []
  const compare = (
    setting: TopicDifference['setting'],
    wanted: number | undefined,
    actual: number | undefined,
    text: (value: number | undefined) => string = value => String(value ?? 'unknown')
  ): void => {
    if (wanted === actual) return
    list.push({ topic: spec.name, setting, expected: text(wanted), actual: text(actual) })
  }
  compare('partitions', spec.partitions, topic.partitions.length)
  compare('retention', spec.retentionMs, topic.retentionMs, hours)
  if (logKind(config) !== 'kafka') return list
  const { replicationFactor, minInsyncReplicas, maxMessageBytes } = config.kafka
  if (replicationFactor > 0) compare('replicas', replicationFactor, topic.replicas)
  if (minInsyncReplicas > 0) {
    compare('min.insync.replicas', minInsyncReplicas, topic.minInsyncReplicas)
  }
  compare('max.message.bytes', maxMessageBytes, topic.maxMessageBytes)
  return list
}

function hours(ms: number | undefined): string {
  return ms === undefined ? 'for ever' : `${ms / 3_600_000} hours`
}
