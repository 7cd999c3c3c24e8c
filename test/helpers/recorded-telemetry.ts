/** Telemetry that a test can look into. */
import type { Labels, LogFields, Logger, Telemetry } from '../../src/ports/index.ts'

export interface RecordedLog {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

export interface RecordedTelemetry extends Telemetry {
  readonly logs: RecordedLog[]
  /** Sum of a counter, over the label sets that contain `labels`. */
  counted(name: string, labels?: Labels): number
  /** Every text that reached a log or a label, for searches for secrets. */
  text(): string
}

export function recordTelemetry(): RecordedTelemetry {
  const logs: RecordedLog[] = []
  const counts: { name: string; by: number; labels: Labels }[] = []
  const gauges: { name: string; value: number; labels: Labels }[] = []
  const write =
    (level: RecordedLog['level']) =>
    (message: string, fields: LogFields = {}) => {
      logs.push({ level, message, fields })
    }
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log
  }
  return {
    logs,
    log,
    metrics: {
      count: (name, by = 1, labels = {}) => void counts.push({ name, by, labels }),
      gauge: (name, value, labels = {}) => void gauges.push({ name, value, labels }),
      observe: (name, value, labels = {}) => void gauges.push({ name, value, labels })
    },
    counted: (name, labels = {}) =>
      counts
        .filter(
          entry =>
            entry.name === name &&
            Object.entries(labels).every(([key, value]) => entry.labels[key] === value)
        )
        .reduce((sum, entry) => sum + entry.by, 0),
    text: () =>
      JSON.stringify([logs, counts, gauges], (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value
      )
  }
}
