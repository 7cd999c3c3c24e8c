/** Takes records from several partitions so that none waits behind a full neighbour. */
import type { LogRecord } from '../../ports/index.ts'
import type { ReadBounds, Records } from './records.ts'
import type { Topics } from './topics.ts'

/** A partition that a consumer reads, and where it is. */
export interface Slot {
  readonly partitionId: number
  readonly topic: string
  readonly partition: number
  /** The next offset to read. */
  position: number
  paused: boolean
}

/**
 * Each partition that has records gets an equal share of what is left; what one does not use goes to
 * the next ones. `turn` says where to begin, so that over several calls everybody is first. Moves the
 * positions behind what it returns.
 */
export function takeFairly(
  slots: readonly Slot[],
  turn: number,
  ports: { readonly topics: Topics; readonly records: Records },
  bounds: ReadBounds
): LogRecord[] {
  const taken: LogRecord[] = []
  let bytes = 0
  let waiting = rotate(slots, turn).filter(slot => placePosition(slot, ports.topics))
  while (waiting.length > 0) {
    const more: Slot[] = []
    for (const [index, slot] of waiting.entries()) {
      const left = bounds.maxRecords - taken.length
      if (left <= 0 || bytes >= bounds.maxBytes) return taken
      const sharers = waiting.length - index
      const share = {
        maxRecords: Math.ceil(left / sharers),
        maxBytes: Math.ceil((bounds.maxBytes - bytes) / sharers)
      }
      const run = ports.records.read(slot.partitionId, slot, slot.position, share)
      const last = run.records.at(-1)
      if (last === undefined) continue
      slot.position = Number(last.offset) + 1
      bytes += run.bytes
      taken.push(...run.records)
      if (run.records.length === share.maxRecords || run.bytes >= share.maxBytes) more.push(slot)
    }
    waiting = more
  }
  return taken
}

/**
 * Moves a position that is out of range to the earliest record: below because records were deleted,
 * above because it is unknown (G3: never skip). True when there is something to read.
 */
function placePosition(slot: Slot, topics: Topics): boolean {
  const { earliest, next } = topics.state(slot.partitionId)
  if (slot.position < earliest || slot.position > next) slot.position = earliest
  return slot.position < next
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
