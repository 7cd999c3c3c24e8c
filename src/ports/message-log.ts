/**
 * The message log: topics of partitions of records, consumer groups, committed offsets. Two adapters:
 * embedded (SQLite) and Apache Kafka. The contract below is what `test/conformance/message-log` runs
 * against both.
 *
 * Guarantees every adapter gives:
 * - G1. When `send` resolves, every record of the call is durable (survives kill -9 and power loss) and
 *   has its final partition and offset. When it rejects, any subset may have been stored, in order; the
 *   caller sends again and consumers tolerate duplicates (design.md D3).
 * - G2. Offsets of a partition start at 0, grow by at least 1, and are never reused. A consumer sees the
 *   records of a partition in offset order, none skipped.
 * - G3. A group without a committed offset for a partition starts at the earliest stored record, never
 *   at the end (design.md D9). An offset below the earliest stored record continues at the earliest.
 * - G4. At any time each partition of a topic belongs to at most one member of a group that can commit:
 *   `commit` of a member that was fenced or rebalanced away is refused with `BROKER_FENCED` and changes
 *   nothing.
 * - G5. A rebalance starts a new generation. The consumer then drops what it buffered and continues at
 *   the committed offsets of its new assignment.
 * - G6. Heartbeats run in the background: a member stays while its batch is worked on for minutes. A
 *   member whose process died or stalled longer than its session time-out loses its partitions.
 */

/** Header values are UTF-8 text (reference/claimx-events.md section 4.8). */
export type Headers = Readonly<Record<string, string>>

export interface ProducerRecord {
  readonly topic: string
  readonly key?: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly headers?: Headers
  /** Milliseconds since the epoch; default: the time of sending. */
  readonly timestamp?: number
  /** Default: by the key's hash (Java-compatible murmur2), without a key round-robin. */
  readonly partition?: number
}

export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicPartitionOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: bigint
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /**
   * Records older than this may be deleted; absent: kept for ever. An adapter may keep them longer: the
   * embedded log keeps what a group has not consumed yet, Kafka does not.
   */
  readonly retentionMs?: number
}

export interface PartitionDescription {
  readonly partition: number
  /** Offset of the first stored record (or the end, when empty). */
  readonly earliest: bigint
  /** Offset that the next record will get: the high watermark. */
  readonly end: bigint
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: readonly PartitionDescription[]
  readonly retentionMs: number | undefined
  /** Copies of each partition, where the log has any. */
  readonly replicas?: number | undefined
  /** Copies that must have a record before it counts as stored. */
  readonly minInsyncReplicas?: number | undefined
  /** Largest record that the topic takes, in bytes. */
  readonly maxMessageBytes?: number | undefined
}

export interface GroupLag extends TopicPartition {
  /** Undefined: nothing committed yet. */
  readonly committed: bigint | undefined
  readonly end: bigint
  /** Records not yet committed. */
  readonly lag: bigint
}

export interface MessageLog {
  /** Creates the topics that do not exist yet; an existing one is left as it is. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  /** All topics, or those named; a name that does not exist is left out. Sorted by name. */
  describeTopics(names?: readonly string[]): Promise<TopicDescription[]>
  /**
   * Deletes all records below the given offsets (purge), whether groups have consumed them or not.
   * `BROKER_UNKNOWN_TOPIC` when a topic or partition does not exist.
   */
  deleteRecords(before: readonly TopicPartitionOffset[]): Promise<void>
  /**
   * Lag of a group over whole topics, also for partitions that nobody owns, and for a group that has
   * never been there. `BROKER_UNKNOWN_TOPIC` when one of the topics does not exist.
   */
  groupLag(groupId: string, topics: readonly string[]): Promise<GroupLag[]>
  /**
   * Sets the next offsets that a group without members reads: to move a group to another log, or back. The group
   * comes into being when it is not there. `BROKER_GROUP_IN_USE` while it has members, which then decide
   * themselves; `BROKER_UNKNOWN_TOPIC` when a topic or partition does not exist.
   */
  setGroupOffsets(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void>
  /**
   * Reads records of one partition without any group; at most `maxRecords`, from `offset` on; fewer
   * only at the end. `BROKER_UNKNOWN_TOPIC` when the topic or partition does not exist.
   */
  read(from: TopicPartitionOffset, maxRecords: number): Promise<LogRecord[]>
  producer(options?: ProducerOptions): Promise<Producer>
  /** Joins the group; unknown topics are refused with `BROKER_UNKNOWN_TOPIC`. */
  consumer(options: ConsumerOptions): Promise<Consumer>
  close(): Promise<void>
}

export interface ProducerOptions {
  readonly clientId?: string
}

export interface Producer {
  /** See G1. Metadata in the order of the records. Rejects with `BrokerError`. */
  send(records: readonly ProducerRecord[]): Promise<RecordMetadata[]>
  close(): Promise<void>
}

export interface ConsumerOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly clientId?: string
  /** Default 60,000. */
  readonly sessionTimeoutMs?: number
  /** Default 3,000; must be below a third of the session time-out. */
  readonly heartbeatIntervalMs?: number
}

export interface PollOptions {
  readonly maxRecords: number
  /** Stop adding records when their keys and values reach this size; at least one record comes. */
  readonly maxBytes?: number
  /** How long to wait for a first record; 0: do not wait. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface PolledRecords {
  /** Generation under which the records were read; `commit` wants it back. */
  readonly generation: number
  readonly records: readonly LogRecord[]
}

export interface Consumer {
  readonly memberId: string
  /**
   * The next records of the assigned, unpaused partitions, taken fairly from all of them. Empty when
   * the time-out passes, when the signal aborts, or when a rebalance happened meanwhile. It may return
   * fewer than `maxRecords` although more are stored (adapters bound what one poll reads): only an empty
   * answer says that there is nothing more just now.
   */
  poll(options: PollOptions): Promise<PolledRecords>
  /**
   * Stores the next offsets to read. Refused with `BROKER_FENCED` when `generation` is not the
   * group's current one any more (G4).
   */
  commit(generation: number, offsets: readonly TopicPartitionOffset[]): Promise<void>
  /** Next `poll` continues at these offsets. Partitions that are not assigned are ignored. */
  seek(offsets: readonly TopicPartitionOffset[]): void
  /** Back to the committed offsets (or the beginning) of every assigned partition. */
  seekToCommitted(): Promise<void>
  /**
   * Paused partitions give no records until `resume`. Partitions that are not assigned are ignored.
   * Whether a partition that this member keeps over a rebalance stays paused is up to the adapter: after
   * a new generation callers pause, or resume, what they mean.
   */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /**
   * Partitions owned now, and the generation. Both change at a rebalance, when the next `poll` learns of
   * it; before the first `poll` there are none.
   */
  assignment(): { readonly generation: number; readonly partitions: readonly TopicPartition[] }
  /** Leaves the group at once, so that others take over without waiting for the time-out. */
  close(): Promise<void>
}
