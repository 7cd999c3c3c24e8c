/**
 * A process that the recovery tests kill: `child.ts produce|consume <options as JSON>`. It reports each
 * step as a line of JSON, written synchronously, so that what the test reads has really happened.
 */
import { writeSync } from 'node:fs'
import { openEmbeddedLog } from '../../../src/adapters/embedded-log/index.ts'
import { isPipelineError } from '../../../src/core/index.ts'
import type { Consumer } from '../../../src/ports/index.ts'
import { machineClock, machineIds } from '../../helpers/embedded-log.ts'
import { checkedValue } from './values.ts'

interface ChildOptions {
  readonly path: string
  readonly topic: string
  readonly groupId: string
  readonly name: string
  readonly sessionTimeoutMs: number
  /** Stops itself once, between its first batch and the commit of it. */
  readonly stopOnce: boolean
}

const [mode, json = '{}'] = process.argv.slice(2)
const options = JSON.parse(json) as ChildOptions
const { path, topic, groupId, name, sessionTimeoutMs } = options
const log = await openEmbeddedLog({ path }, { clock: machineClock, ids: machineIds })
await (mode === 'produce' ? produce() : consume())

function report(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

async function produce(): Promise<void> {
  const producer = await log.producer()
  for (let n = 0; ; ) {
    const size = 1 + Math.floor(Math.random() * 40)
    const ids = Array.from({ length: size }, () => `${name}-${n++}`)
    const sent = await producer.send(ids.map(id => ({ topic, value: checkedValue(id) })))
    report({ acked: sent.map((one, i) => [ids[i], one.partition, Number(one.offset)]) })
  }
}

async function consume(): Promise<void> {
  const consumer = await log.consumer({
    groupId,
    topics: [topic],
    sessionTimeoutMs,
    heartbeatIntervalMs: sessionTimeoutMs / 8
  })
  let generation = -1
  let stop = options.stopOnce
  for (;;) {
    const polled = await consumer.poll({ maxRecords: 20, timeoutMs: 100 })
    const assignment = consumer.assignment()
    if (assignment.generation !== generation) {
      generation = assignment.generation
      report({ owned: assignment.partitions.length })
    }
    if (polled.records.length === 0) continue
    report({ processed: polled.records.map(one => [one.partition, Number(one.offset)]) })
    if (stop) process.kill(process.pid, 'SIGSTOP')
    stop = false
    await commit(consumer, polled)
  }
}

async function commit(
  consumer: Consumer,
  polled: Awaited<ReturnType<Consumer['poll']>>
): Promise<void> {
  const next = new Map(polled.records.map(one => [one.partition, one.offset + 1n]))
  try {
    await consumer.commit(
      polled.generation,
      [...next].map(([partition, offset]) => ({ topic, partition, offset }))
    )
    report({ committed: [...next].map(([partition, offset]) => [partition, Number(offset)]) })
  } catch (error) {
    if (!isPipelineError(error) || error.code !== 'BROKER_FENCED') throw error
    report({ fenced: true })
  }
}
