/**
 * Which members are dead. No clock is shared: a member counts beats in its row, and each process
 * measures by its own monotonic time how long a count has stood still. Steps of the wall clock
 * therefore change nothing (spec section 4).
 */
import { readFileSync, readlinkSync } from 'node:fs'
import type { MemberRow } from './groups.ts'

export interface Liveness {
  /** Members whose beat has not moved for their session time-out while this observer was awake. */
  silent(members: readonly MemberRow[], nowMs: number): MemberRow[]
}

/** `maxGapMs`: an observer that was asleep longer than this starts its measurements again. */
export function createLiveness(maxGapMs: number): Liveness {
  const seen = new Map<string, { beat: number; sinceMs: number }>()
  let lastLookMs: number | undefined

  return {
    silent(members, nowMs) {
      if (lastLookMs !== undefined && nowMs - lastLookMs > maxGapMs) seen.clear()
      lastLookMs = nowMs
      const present = new Set(members.map(member => member.memberId))
      for (const memberId of seen.keys()) if (!present.has(memberId)) seen.delete(memberId)
      return members.filter(member => {
        const known = seen.get(member.memberId)
        if (known === undefined || known.beat !== member.beat) {
          seen.set(member.memberId, { beat: member.beat, sinceMs: nowMs })
          return false
        }
        return nowMs - known.sinceMs > member.sessionTimeoutMs
      })
    }
  }
}

/**
 * Names this process so that others on the machine can tell whether it is gone: boot id, process
 * namespace, process id, start time. Only Linux tells all of these; elsewhere null, and the session
 * time-out alone decides.
 */
export function processIdentity(pid: number = process.pid): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const start = startTime(pid)
    return start === undefined ? null : [boot, namespaceId(), pid, start].join('/')
  } catch {
    return null
  }
}

/** True only when the process certainly does not run any more. */
export function isProcessGone(identity: string | null, own: string | null): boolean {
  if (identity === null || own === null) return false
  const [boot, namespace, pid, start] = identity.split('/')
  const [ownBoot, ownNamespace] = own.split('/')
  if (boot !== ownBoot) return true
  // Process ids of another container say nothing here.
  if (namespace !== ownNamespace) return false
  return startTime(Number(pid)) !== start
}

function namespaceId(): string {
  return readlinkSync('/proc/self/ns/pid')
}

/** Start time of a running process; undefined when there is none, or only its zombie. */
function startTime(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && isMissing(error.code)) return undefined
    throw error
  }
  // The command, in parentheses, may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  return state === 'Z' || state === 'X' ? undefined : fields[19]
}

function isMissing(code: unknown): boolean {
  return code === 'ENOENT' || code === 'ESRCH'
}
