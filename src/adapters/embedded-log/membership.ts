/**
 * One member of a group: joins, beats in the background, notices that it was expired, leaves.
 * States: out -> in (join) -> lost (expired, or stalled beyond the session time-out) -> in (rejoin).
 */
import { fenced, type Groups } from './groups.ts'
import { createLiveness, isProcessGone, processIdentity } from './liveness.ts'
import type { LogNotifier } from './notifier.ts'
import type { Topics } from './topics.ts'
import type { Writer } from './writer.ts'

export interface MembershipOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly memberId: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

export interface MembershipPorts {
  readonly writer: Writer
  readonly groups: Groups
  readonly topics: Topics
  readonly notifier: LogNotifier
  /** A heartbeat that could not be written; the next one tries again. */
  heartbeatFailed(error: unknown): void
}

export interface Membership {
  join(): Promise<void>
  leave(): Promise<void>
  /** Group id in the file, or undefined while this member must (re)join. */
  current(): number | undefined
  /** The member's row is gone. */
  lose(): void
  commit(
    generation: number,
    offsets: readonly { partitionId: number; offset: number }[]
  ): Promise<void>
}

export function createMembership(options: MembershipOptions, ports: MembershipPorts): Membership {
  const { memberId, sessionTimeoutMs, heartbeatIntervalMs } = options
  const { writer, groups, topics, notifier } = ports
  const liveness = createLiveness(sessionTimeoutMs / 2 + heartbeatIntervalMs)
  const identity = processIdentity()
  let groupId: number | undefined
  let lastBeatMs = 0
  let timer: NodeJS.Timeout | undefined
  let beating = false
  let joining: Promise<void> | undefined
  let left = false

  /** A member that stalled counts itself as expired, even if nobody else noticed (G6). */
  function current(): number | undefined {
    if (groupId !== undefined && performance.now() - lastBeatMs > sessionTimeoutMs) lose()
    return groupId
  }

  function lose(): void {
    const lost = groupId
    groupId = undefined
    clearInterval(timer)
    timer = undefined
    // A poll that waits joins again.
    if (lost !== undefined) notifier.notify({ kind: 'group', groupId: lost })
  }

  async function join(): Promise<void> {
    if (left) return
    joining ??= enter().finally(() => {
      joining = undefined
    })
    await joining
  }

  async function enter(): Promise<void> {
    const startMs = performance.now()
    const joined = await writer.submit({
      rows: 8,
      bytes: 0,
      durable: false,
      run: () => {
        const topicIds = [...new Set(options.topics)].map(name => topics.require(name).id)
        return groups.join({
          group: options.groupId,
          memberId,
          topicIds,
          sessionTimeoutMs,
          process: identity,
          isGone: member => isProcessGone(member.process, identity)
        })
      },
      done: id => notifier.notify({ kind: 'group', groupId: id })
    })
    groupId = joined
    lastBeatMs = startMs
    timer ??= setInterval(() => void tick(), heartbeatIntervalMs).unref()
  }

  async function tick(): Promise<void> {
    const id = current()
    if (id === undefined || beating) return
    beating = true
    try {
      await beat(id)
    } catch (error) {
      ports.heartbeatFailed(error)
    } finally {
      beating = false
    }
  }

  async function beat(id: number): Promise<void> {
    const startMs = performance.now()
    const result = await writer.submit({
      rows: 1,
      bytes: 0,
      durable: false,
      run: () => ({ alive: groups.beat(id, memberId), expired: expireOthers(id) }),
      done: ({ expired }) => {
        if (expired) notifier.notify({ kind: 'group', groupId: id })
      }
    })
    if (groupId !== id) return
    if (result.alive) lastBeatMs = startMs
    else lose()
  }

  function expireOthers(id: number): boolean {
    const others = groups.members(id).filter(member => member.memberId !== memberId)
    const gone = others.filter(member => isProcessGone(member.process, identity))
    const silent = liveness.silent(others, performance.now())
    const dead = [...new Set([...gone, ...silent])]
    return dead.length > 0 && groups.remove(id, dead)
  }

  return {
    join,
    current,
    lose,
    async leave() {
      left = true
      // A join on its way would leave a member behind that nobody polls for.
      await joining?.catch(() => undefined)
      const id = groupId
      lose()
      if (id === undefined) return
      await writer.submit({
        rows: 8,
        bytes: 0,
        durable: false,
        run: () => groups.remove(id, [{ memberId }]),
        done: () => notifier.notify({ kind: 'group', groupId: id })
      })
    },
    async commit(generation, offsets) {
      await writer.submit({
        rows: offsets.length,
        bytes: 0,
        durable: true,
        run: () => {
          const id = current()
          if (id === undefined) throw fenced(memberId, generation, undefined)
          groups.commit(id, memberId, generation, offsets)
        }
      })
    }
  }
}
