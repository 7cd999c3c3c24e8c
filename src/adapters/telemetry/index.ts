/** Logs and metrics of one process. */
export { createLogger, type LoggerOptions, type LoggerPorts, type LogLevel } from './logger.ts'
export {
  createMetrics,
  type HistogramValue,
  type MetricsRegistry,
  quantile,
  type Series
} from './metrics.ts'
export { redactLine } from './redaction.ts'
