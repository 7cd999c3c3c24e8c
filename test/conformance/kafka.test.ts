import { after } from 'node:test'
import { openKafkaLog } from '../../src/adapters/kafka/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import { startKafka } from '../helpers/kafka.ts'
import { recordTelemetry } from '../helpers/recorded-telemetry.ts'
import { messageLogConformance } from './message-log.conformance.ts'

const named = process.env['KAFKA_BOOTSTRAP_SERVERS']?.split(',')
const cluster = named === undefined ? await startKafka() : undefined
after(() => cluster?.close())
const bootstrapServers = named ?? cluster?.bootstrapServers

if (bootstrapServers !== undefined) {
  const open = () =>
    openKafkaLog(
      { bootstrapServers, rebalanceGraceMs: 200 },
      { clock: systemClock(), ids: systemIds(), log: recordTelemetry().log }
    )
  messageLogConformance(
    'Kafka',
    async () => {
      const log = await open()
      const logs = [log]
      return {
        log,
        reopen: async () => {
          await log.close()
          const another = await open()
          logs.push(another)
          return another
        },
        close: async () => {
          for (const one of logs) await one.close()
        }
      }
    },
    { shortSessionMs: 2000 }
  )
}
