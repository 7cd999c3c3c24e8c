/**
 * Logs and metrics, as ports. Metric names follow reference/operations.md section 7. Label values are
 * route templates, tables, topics and classes; never ids. Log fields never hold payloads, secrets or
 * presigned URLs.
 */
export type LogFields = Readonly<
  Record<string, string | number | boolean | bigint | null | undefined>
>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields & { error?: never }, error?: unknown): void
  child(bindings: LogFields): Logger
}

export type Labels = Readonly<Record<string, string>>

export interface Metrics {
  count(name: string, by?: number, labels?: Labels): void
  gauge(name: string, value: number, labels?: Labels): void
  /** Seconds, bytes or rows, as the name says. */
  observe(name: string, value: number, labels?: Labels): void
}

export interface Telemetry {
  readonly log: Logger
  readonly metrics: Metrics
}
