/** `log copy`: opens the two logs that the configuration names, and copies one to the other. */
import { systemClock, systemIds } from '../adapters/system/index.ts'
import { createLogger } from '../adapters/telemetry/index.ts'
import type { Config } from '../config/index.ts'
import { ConfigError } from '../core/index.ts'
import { allTopics } from '../topology.ts'
import { type CopiedPartition, copyLog, type LogCopyReport } from './log-copy.ts'
import { type LogKind, openMessageLog } from './message-log.ts'

export interface LogCopyRequest {
  readonly from: LogKind
  readonly to: LogKind
  readonly dryRun: boolean
  readonly signal: AbortSignal
  readonly onProgress?: (progress: CopiedPartition) => void
  /** Where warnings of the logs go. */
  write(line: string): void
}

/** Rejects with `CONFIG_INVALID` when no brokers are configured, else as `copyLog` does. */
export async function copyConfiguredLog(
  config: Config,
  { from, to, dryRun, signal, onProgress, write }: LogCopyRequest
): Promise<LogCopyReport> {
  if (config.kafka.bootstrapServers.length === 0) {
    throw new ConfigError(
      'CONFIG_INVALID',
      'KAFKA_BOOTSTRAP_SERVERS is not set; log copy needs the brokers to copy to, or from'
    )
  }
  const clock = systemClock()
  const log = createLogger({ level: 'warn', json: false, color: false }, { clock, write })
  const ports = { clock, ids: systemIds(), log }
  const source = await openMessageLog(config, ports, from)
  try {
    const target = await openMessageLog(config, ports, to)
    try {
      const topics = allTopics()
      const progress = onProgress === undefined ? {} : { onProgress }
      return await copyLog({ source, target, topics, clock, dryRun, signal, ...progress })
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}
