/** What the Kafka adapter is told, and the ports that it uses. */
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { Clock, Ids, Logger } from '../../ports/index.ts'

export interface KafkaLogOptions {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly bootstrapServers: readonly string[]
  readonly clientId?: string
  /** TLS when given, also without options. */
  readonly tls?: TlsOptions
  readonly sasl?: SaslOptions
  /** Codec of produced batches; `lz4` by default (docs/benchmarks.md). */
  readonly compression?: Compression
  /**
   * Bytes of one record with its overhead. Topics are created with this limit; a topic that allows less
   * is believed, and a larger record is refused before it is sent. Default 8 MiB.
   */
  readonly maxMessageBytes?: number
  /** Copies of each partition of the topics created; the broker's default when absent. */
  readonly replicationFactor?: number
  /** `min.insync.replicas` of the topics created; the broker's default when absent. */
  readonly minInsyncReplicas?: number
  /**
   * Makes members static (KIP-345): the name of this process among all of them, kept over restarts. A member
   * that comes back within its session time-out then keeps its partitions without a rebalance.
   */
  readonly instanceId?: string
  /** Of consumers that name none themselves; 60 s by default. */
  readonly sessionTimeoutMs?: number
  /** How long an operation is tried before it fails with `BROKER_UNAVAILABLE`; 30 s by default. */
  readonly operationTimeoutMs?: number
  /** Bytes of records that one consumer holds ahead of `poll`; 32 MiB by default. */
  readonly fetchBufferBytes?: number
  /**
   * How long a member that has to rejoin its group waits for the commit of what it was given, so that the work
   * is not done again; 3 s by default, 0: not at all.
   */
  readonly rebalanceGraceMs?: number
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export type SaslOptions =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'OAUTHBEARER'
      /** Asked at each authentication, so it must refresh what expires. */
      token(): Promise<string>
    }

export interface KafkaPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

export const DEFAULTS = {
  clientId: 'claims-pipeline',
  compression: 'lz4',
  maxMessageBytes: 8 * 1_048_576,
  operationTimeoutMs: 30_000,
  fetchBufferBytes: 32 * 1_048_576,
  rebalanceGraceMs: 3000,
  sessionTimeoutMs: 60_000,
  heartbeatIntervalMs: 3000
} as const
