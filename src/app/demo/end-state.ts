/** The pipeline's end state as the simulator's check reads it. */
import { createHash } from 'node:crypto'
import { claimxTables } from '../../domains/claimx/index.ts'
import type { EndStateView } from '../../simulator/index.ts'
import { topics } from '../../topology.ts'
import { totalLag } from '../backlog.ts'
import type { Pipeline } from '../pipeline-types.ts'

const deadLetterTopics = [
  topics.claimx.eventsDlq,
  topics.claimx.enrichmentDlq,
  topics.claimx.downloadsDlq
]

const readRecords = 500

export function endStateView(pipeline: Pipeline): EndStateView {
  const { log, tables, files, cache } = pipeline
  return {
    readTable: async (name, columns) => {
      const table = Object.values(claimxTables).find(item => item.name === name)
      return table === undefined ? [] : await tables.read(table, { columns })
    },
    listFiles: () => files.list(''),
    hashFile: async path =>
      createHash('sha256')
        .update(await files.get(path))
        .digest('hex'),
    deadLetters: async () => {
      const letters = await readDeadLetters(pipeline)
      const decoder = new TextDecoder()
      return letters.map(({ topic, value }) => ({ topic, value: decoder.decode(value) }))
    },
    cacheFiles: () => cache.list(),
    lag: async () => Number(await totalLag(log))
  }
}

async function readDeadLetters({ log }: Pipeline): Promise<{ topic: string; value: Uint8Array }[]> {
  const letters: { topic: string; value: Uint8Array }[] = []
  for (const { name, partitions } of await log.describeTopics(deadLetterTopics)) {
    for (const { partition, earliest, end } of partitions) {
      let offset = earliest
      while (offset < end) {
        const records = await log.read({ topic: name, partition, offset }, readRecords)
        for (const { value } of records)
          letters.push({ topic: name, value: value ?? new Uint8Array() })
        offset = (records.at(-1)?.offset ?? end) + 1n
      }
    }
  }
  return letters
}

/** Dead letters by topic, from the offsets. */
export async function deadLetterCounts({ log }: Pipeline): Promise<Record<string, number>> {
  const found = await log.describeTopics(deadLetterTopics)
  return Object.fromEntries(
    found.map(({ name, partitions }) => [
      name,
      Number(partitions.reduce((sum, part) => sum + part.end - part.earliest, 0n))
    ])
  )
}
