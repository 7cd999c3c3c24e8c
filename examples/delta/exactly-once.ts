/**
 * Exactly once: a consumer of a message log keeps its position in the table itself, in the same commit as the
 * rows. A crash between two batches repeats nothing, and a second consumer that starts by mistake is refused.
 * Run it: node exactly-once.ts
 */
import { isDeltaError, openDelta } from 'claims-pipeline/delta'

/** Stands for a topic of Kafka: the messages from an offset on. */
const messages = Array.from({ length: 10 }, (_, offset) => ({ event: `e${offset}` }))
const poll = (offset: number) => messages.slice(offset, offset + 4)

await using lake = await openDelta({ root: './lake' })
const events = await lake.openOrCreate('events', { columns: { event: 'string' } })
const appId = 'events-of-partition-0'

async function consume(crashAfter: number): Promise<void> {
  for (let batch = 1; batch <= crashAfter; batch++) {
    // The position is what the table says, not what the consumer remembers.
    const expected = (await events.transactionVersion(appId)) ?? null
    const rows = poll(expected ?? 0)
    if (rows.length === 0) return
    const version = (expected ?? 0) + rows.length
    await events.append(rows, { transaction: { appId, version, expected } })
  }
}

await consume(2) // and then it crashes
await consume(Number.POSITIVE_INFINITY)
console.log(await events.countRows(), 'events, position', await events.transactionVersion(appId))

// Another consumer that still believes to be at offset 4 writes nothing.
try {
  await events.append(poll(4), { transaction: { appId, version: 8, expected: 4 } })
} catch (error) {
  if (!isDeltaError(error, 'DELTA_TRANSACTION_CONFLICT')) throw error
  console.log('refused:', error.code)
}
