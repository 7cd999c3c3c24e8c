/** The topics of the pipeline as they are created. */
import type { Config } from '../config/index.ts'
import type { TopicSpec } from '../ports/index.ts'
import { allTopics } from '../topology.ts'

/** Dead letters are kept until somebody removes them; everything else for the configured time. */
export function topicSpecs(config: Config): TopicSpec[] {
  const { partitions, retentionHours } = config.topics
  return allTopics().map(name =>
    name.endsWith('.dlq')
      ? { name, partitions }
      : { name, partitions, retentionMs: retentionHours * 3_600_000 }
  )
}
