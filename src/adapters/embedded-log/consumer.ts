/**
 * A consumer: positions of the partitions that its member owns, and the poll loop. Records are read
 * from the file when they are asked for; nothing is buffered, so a rebalance has nothing to drop (G5).
 */
import type { Consumer, PolledRecords, PollOptions, TopicPartition } from '../../ports/index.ts'
import type { ChangeWatch } from './change-watch.ts'
import { type Slot, takeFairly } from './fair-read.ts'
import type { Groups } from './groups.ts'
import type { Membership } from './membership.ts'
import type { LogChange, LogNotifier } from './notifier.ts'
import type { Records } from './records.ts'
import { offsetNumber } from './schema.ts'
import { closedError } from './sqlite-errors.ts'
import type { Topics } from './topics.ts'
import { createWaiter, type Waiter } from './waiter.ts'
import { nextTurn, type Writer } from './writer.ts'

export interface ConsumerPorts {
  readonly writer: Writer
  readonly topics: Topics
  readonly records: Records
  readonly groups: Groups
  readonly notifier: LogNotifier
  readonly watch: ChangeWatch
  readonly membership: Membership
  closed(): void
}

/** Bounds of one poll, whatever is asked for: the event loop must not be held for long. */
const MAX_POLL_RECORDS = 4096
const MAX_POLL_BYTES = 4 << 20

export function createConsumer(memberId: string, ports: ConsumerPorts): Consumer {
  const { writer, topics, records, groups, notifier, watch, membership } = ports
  const waiters = new Set<Waiter>()
  let generation = 0
  let slots: Slot[] = []
  let turn = 0
  let closed = false

  function loadAssignment(groupId: number, current: number): void {
    const paused = new Set(slots.filter(slot => slot.paused).map(slot => slot.partitionId))
    slots = groups.owned(groupId, memberId).map(({ partitionId, committed }) => ({
      partitionId,
      ...topics.locate(partitionId),
      position: committed ?? 0,
      paused: paused.has(partitionId)
    }))
    generation = current
  }

  /** One look at the file: `undefined` when this member has to join again. */
  function look(options: PollOptions): PolledRecords | undefined {
    const groupId = membership.current()
    if (groupId === undefined) return undefined
    const current = groups.generationOf(groupId, memberId)
    if (current === undefined) {
      membership.lose()
      return undefined
    }
    if (current !== generation) loadAssignment(groupId, current)
    turn++
    const active = slots.filter(slot => !slot.paused)
    const found = takeFairly(active, turn, { topics, records }, bounds(options))
    return { generation, records: found }
  }

  function concerns(change: LogChange): boolean {
    if (change.kind !== 'records') return true
    return slots.some(slot => change.partitionIds.has(slot.partitionId))
  }

  async function pollUntil(options: PollOptions, waiter: Waiter): Promise<PolledRecords> {
    const deadlineMs = performance.now() + options.timeoutMs
    for (;;) {
      // Somebody who polls in a loop must not keep heartbeats from running.
      await nextTurn()
      if (closed || options.signal?.aborted === true) return { generation, records: [] }
      const found = await writer.read(() => look(options))
      if (found === undefined) {
        await membership.join()
        continue
      }
      const leftMs = deadlineMs - performance.now()
      if (found.records.length > 0 || leftMs <= 0) return found
      const unwatch = watch.watch()
      await waiter.wait(leftMs, options.signal)
      unwatch()
    }
  }

  async function poll(options: PollOptions): Promise<PolledRecords> {
    if (closed) throw closedError('consumer')
    const waiter = createWaiter()
    const unsubscribe = notifier.subscribe(change => {
      if (concerns(change)) waiter.wake()
    })
    waiters.add(waiter)
    try {
      return await pollUntil(options, waiter)
    } finally {
      waiters.delete(waiter)
      unsubscribe()
    }
  }

  function setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const slot of matching(slots, partitions)) slot.paused = paused
    for (const waiter of waiters) waiter.wake()
  }

  return {
    memberId,
    poll,
    async commit(of, offsets) {
      if (closed) throw closedError('consumer')
      const entries = await writer.read(() =>
        offsets.map(({ topic, partition, offset }) => ({
          partitionId: topics.partitionId(topic, partition),
          offset: offsetNumber(offset)
        }))
      )
      await membership.commit(of, entries)
    },
    seek(offsets) {
      for (const target of offsets) {
        for (const slot of matching(slots, [target])) slot.position = offsetNumber(target.offset)
      }
      for (const waiter of waiters) waiter.wake()
    },
    async seekToCommitted() {
      if (closed) throw closedError('consumer')
      await writer.read(() => {
        const groupId = membership.current()
        if (groupId === undefined) return
        for (const slot of slots) {
          slot.position = groups.committed(groupId, slot.partitionId) ?? 0
        }
      })
    },
    pause: partitions => setPaused(partitions, true),
    resume: partitions => setPaused(partitions, false),
    assignment: () => ({
      generation,
      partitions: slots.map(({ topic, partition }) => ({ topic, partition }))
    }),
    async close() {
      if (closed) return
      closed = true
      for (const waiter of waiters) waiter.wake()
      ports.closed()
      await membership.leave()
    }
  }
}

function bounds(options: PollOptions): { maxRecords: number; maxBytes: number } {
  return {
    maxRecords: Math.min(options.maxRecords, MAX_POLL_RECORDS),
    maxBytes: Math.min(options.maxBytes ?? MAX_POLL_BYTES, MAX_POLL_BYTES)
  }
}

function matching(slots: readonly Slot[], partitions: readonly TopicPartition[]): Slot[] {
  return slots.filter(slot =>
    partitions.some(one => one.topic === slot.topic && one.partition === slot.partition)
  )
}
