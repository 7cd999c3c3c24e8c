/**
 * Membership of a consumer group by the classic protocol: join, sync, heartbeats, leave; commits that name the
 * generation they belong to. It runs beside the caller's work, so a member stays while its batch is worked on for
 * minutes. The library's own consumer joins again by itself when a commit is refused, and then commits under the new
 * generation what was read under the old one; it also never looks for a coordinator again. So the requests are made here.
 */
import { BrokerError, isAbort } from '../../core/index.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../ports/index.ts'
import {
  ASSIGNOR,
  assign,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription
} from './assignor.ts'
import type { Cluster } from './cluster.ts'
import { apiIdsOf, brokerError, hasApiId, LOST_MEMBERSHIP, responseOf } from './failures.ts'
import type { KafkaPorts } from './options.ts'
import type { ApiArgs, ApiResult, JoinGroupAnswer } from './protocol.ts'
import { grouped } from './topics.ts'

export interface GroupMemberOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly instanceId: string | null
}

export interface Membership {
  /** Never falls, also when the coordinator counts anew. */
  readonly generation: number
  readonly partitions: readonly TopicPartition[]
}

/** What the consumer around it does. */
export interface MemberEvents {
  /** The partitions are no longer this member's, or may not be for long. */
  lost(): void
  /** A new generation. Resolves when the consumer knows where to go on. */
  joined(membership: Membership, signal: AbortSignal): Promise<void>
  /** Resolves when nothing that was given out waits for its commit, or after a while. */
  settled(signal: AbortSignal): Promise<void>
  /** Cannot go on, or not now; undefined: it goes on again. */
  trouble(error: Error | undefined): void
}

const PROTOCOL_TYPE = 'consumer'
const RETRY_MS = 500
/** Wrong credentials stay wrong for a while, and brokers count who tries them. */
const ACCESS_RETRY_MS = 10_000
/** A join may wait for the other members for so long. */
const REBALANCE_TIMEOUT_MS = 60_000
/** For the answer to travel. */
const MARGIN_MS = 10_000
const REASON = 'joining'
const TAKEN_OVER = 'FENCED_INSTANCE_ID'

export class GroupMember {
  readonly #cluster: Cluster
  readonly #options: GroupMemberOptions
  readonly #ports: KafkaPorts
  readonly #events: MemberEvents
  readonly #closing = new AbortController()
  readonly #lane: string
  readonly #joinLane: string
  /** As the coordinator knows it. */
  #memberId = ''
  #generationId = -1
  #coordinator: number | undefined
  /** Added to the coordinator's count, so that generations never fall. */
  #base = 0
  #membership: Membership = { generation: 0, partitions: [] }
  #active = false
  #work: Promise<void> | undefined
  /** Wakes the heartbeats up: something said that the membership is over. */
  #alarm = new AbortController()

  constructor(
    cluster: Cluster,
    options: GroupMemberOptions,
    ports: KafkaPorts,
    events: MemberEvents
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#ports = ports
    this.#events = events
    this.#lane = `group-${ports.ids.uuid()}`
    this.#joinLane = `join-${this.#lane}`
  }

  get id(): string {
    return this.#memberId
  }

  /** Begins to join, beside the caller. */
  start(): void {
    this.#work ??= this.#live(this.#closing.signal)
  }

  /** Rejects with `BROKER_FENCED` when the generation is over. */
  async commit(generation: number, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const topics = grouped(offsets, ({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: null
    }))
    await this.#cluster.retried('Committing offsets', async () => {
      if (!this.#active || generation !== this.#membership.generation)
        throw this.#fenced(generation)
      const { groupId, instanceId } = this.#options
      try {
        const args = [groupId, this.#generationId, this.#memberId, instanceId, topics] as const
        await this.#ask('OffsetCommit', [...args])
      } catch (error) {
        if (!hasApiId(error, LOST_MEMBERSHIP)) throw error
        this.#alarm.abort()
        throw this.#fenced(generation)
      }
    })
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    // A join may wait for minutes.
    await this.#cluster.closeLane(this.#joinLane)
    await this.#work
    await this.#leave().catch(() => undefined)
    await this.#cluster.closeLane(this.#lane)
  }

  async #live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const membership = await this.#join(signal)
        await this.#events.joined(membership, signal)
        this.#active = true
        this.#events.trouble(undefined)
        await this.#beat(signal)
      } catch (error) {
        if (signal.aborted || isAbort(error, signal)) return
        const failure = brokerError(error, `Joining the group "${this.#options.groupId}"`)
        this.#events.trouble(failure)
        if (!failure.retryable) return
        this.#forgetCoordinator()
        await this.#pause(failure.code === 'BROKER_ACCESS' ? ACCESS_RETRY_MS : RETRY_MS, signal)
      } finally {
        this.#active = false
        this.#events.lost()
      }
    }
  }

  /** Sends heartbeats until the membership is over. */
  async #beat(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports
    const { sessionTimeoutMs, heartbeatIntervalMs, groupId, instanceId } = this.#options
    this.#alarm = new AbortController()
    const alarm = this.#alarm.signal
    const either = AbortSignal.any([signal, alarm])
    let answeredAt = clock.monotonic()
    for (;;) {
      await clock.sleep(heartbeatIntervalMs, either).catch(() => undefined)
      if (signal.aborted || alarm.aborted) return
      try {
        const args = [groupId, this.#generationId, this.#memberId, instanceId] as const
        await this.#ask('Heartbeat', [...args], heartbeatIntervalMs * 2 + 1000)
        answeredAt = clock.monotonic()
        this.#events.trouble(undefined)
      } catch (error) {
        if (signal.aborted) return
        const ids = apiIdsOf(error)
        if (ids.includes('REBALANCE_IN_PROGRESS')) {
          await this.#events.settled(either)
          return
        }
        // Two processes with one static name: going on would only throw the other one out in turn.
        if (ids.includes(TAKEN_OVER)) throw error
        if (ids.some(id => LOST_MEMBERSHIP.has(id))) {
          this.#forgetMember(ids)
          return
        }
        this.#events.trouble(brokerError(error, `Heartbeat in the group "${groupId}"`))
        if (clock.monotonic() - answeredAt <= sessionTimeoutMs) continue
        log.warn('the coordinator did not answer within the session time-out', { group: groupId })
        return
      }
    }
  }

  async #join(signal: AbortSignal): Promise<Membership> {
    for (;;) {
      signal.throwIfAborted()
      try {
        const answer = await this.#askToJoin()
        this.#memberId = answer.memberId
        this.#generationId = answer.generationId
        const assignments = answer.leader === answer.memberId ? await this.#assignAll(answer) : []
        const { groupId, instanceId } = this.#options
        const { assignment } = await this.#waitFor('SyncGroup', [
          groupId,
          answer.generationId,
          answer.memberId,
          instanceId,
          PROTOCOL_TYPE,
          answer.protocolName ?? ASSIGNOR,
          assignments
        ])
        this.#membership = {
          generation: this.#counted(answer.generationId),
          partitions: decodeAssignment(assignment)
        }
        return this.#membership
      } catch (error) {
        const ids = apiIdsOf(error)
        if (ids.includes('MEMBER_ID_REQUIRED')) {
          this.#memberId = responseOf<JoinGroupAnswer>(error)?.memberId ?? ''
        } else if (ids.includes(TAKEN_OVER) || !ids.some(id => LOST_MEMBERSHIP.has(id))) throw error
        else this.#forgetMember(ids)
      }
    }
  }

  async #askToJoin(): Promise<ApiResult<'JoinGroup'>> {
    const { groupId, topics, sessionTimeoutMs, instanceId } = this.#options
    const { partitions: owned } = this.#membership
    const generation = this.#generationId
    const metadata = encodeSubscription({ topics, owned, generation })
    return await this.#waitFor('JoinGroup', [
      groupId,
      sessionTimeoutMs,
      this.#rebalanceMs,
      this.#memberId,
      instanceId,
      PROTOCOL_TYPE,
      [{ name: ASSIGNOR, metadata }],
      REASON
    ])
  }

  /** The leader's part: what each member gets. */
  async #assignAll(answer: JoinGroupAnswer): Promise<{ memberId: string; assignment: Buffer }[]> {
    const members = answer.members.map(one => decodeSubscription(one.memberId, one.metadata))
    const names = [...new Set(members.flatMap(member => member.topics))]
    const topics = await this.#cluster.topics(names, true)
    const counts = new Map(topics.map(topic => [topic.name, topic.leaders.length]))
    return [...assign(members, counts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(partitions)
    }))
  }

  /** A static member keeps its place for when it comes back. */
  async #leave(): Promise<void> {
    const { groupId, instanceId } = this.#options
    if (this.#memberId === '' || instanceId !== null || this.#cluster.closed) return
    const member = { memberId: this.#memberId, groupInstanceId: null }
    await this.#ask('LeaveGroup', [groupId, [member]], 5000)
  }

  /** A request that waits for the other members: heartbeats and commits must not wait behind it. */
  async #waitFor<Name extends 'JoinGroup' | 'SyncGroup'>(
    name: Name,
    args: ApiArgs<Name>
  ): Promise<ApiResult<Name>> {
    const node = await this.#node()
    const timeoutMs = this.#rebalanceMs + MARGIN_MS
    return await this.#cluster.call(node, this.#joinLane, name, args, timeoutMs)
  }

  get #rebalanceMs(): number {
    return Math.max(REBALANCE_TIMEOUT_MS, this.#options.sessionTimeoutMs)
  }

  async #ask<Name extends 'OffsetCommit' | 'Heartbeat' | 'LeaveGroup'>(
    name: Name,
    args: ApiArgs<Name>,
    timeoutMs?: number
  ): Promise<ApiResult<Name>> {
    try {
      return await this.#cluster.call(await this.#node(), this.#lane, name, args, timeoutMs)
    } catch (error) {
      if (!hasApiId(error, LOST_MEMBERSHIP)) this.#forgetCoordinator()
      throw error
    }
  }

  async #node(): Promise<number> {
    this.#coordinator ??= await this.#cluster.coordinator(this.#options.groupId)
    return this.#coordinator
  }

  #counted(generationId: number): number {
    const last = this.#membership.generation
    if (generationId + this.#base <= last) this.#base = last + 1 - generationId
    return generationId + this.#base
  }

  #forgetMember(ids: readonly string[]): void {
    const known = ids.includes('REBALANCE_IN_PROGRESS') || ids.includes('ILLEGAL_GENERATION')
    if (!known) this.#memberId = ''
  }

  #forgetCoordinator(): void {
    this.#coordinator = undefined
  }

  #fenced(generation: number): BrokerError {
    const { groupId } = this.#options
    return new BrokerError(
      'BROKER_FENCED',
      `Generation ${generation} of the group "${groupId}" is over: the partitions may be another's now`
    )
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, ids } = this.#ports
    await clock.sleep(ms * (0.5 + ids.random()), signal).catch(() => undefined)
  }
}
