/**
 * Files on their way to become objects. Their names say which process writes them and since when, so
 * that those of processes that were killed can be told from those of living ones and removed.
 */
import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'

const TEMPORARY = /^\.tmp-(\d+)-(\d+)-\d+$/
/** A process of another machine or container is not seen here; its writes are not this slow. */
const DEAD_AFTER_MS = 600_000
/** A process id may have been given to another process since. */
const ABANDONED_AFTER_MS = 86_400_000

/** Unique among processes too: a process id may come back, but not at the same instant. */
export function temporaryName(sequence: number): string {
  return `.tmp-${process.pid}-${process.hrtime.bigint()}-${sequence}`
}

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name)
}

/**
 * Removes what killed processes left below the directory. `now` is in milliseconds of the file system's
 * clock. What cannot be read or removed is left: a later opening tries again.
 */
export async function sweepTemporaries(
  directory: string,
  now: number,
  signal: AbortSignal
): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (signal.aborted) return
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await sweepTemporaries(path, now, signal)
    else if (isTemporary(entry.name)) await removeIfDead(path, entry.name, now)
  }
}

async function removeIfDead(path: string, name: string, now: number): Promise<void> {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) return
  const age = now - info.mtimeMs
  const dead = age > ABANDONED_AFTER_MS || (age > DEAD_AFTER_MS && !mayBeAlive(name))
  if (dead) await unlink(path).catch(() => undefined)
}

function mayBeAlive(name: string): boolean {
  const [, id, since] = TEMPORARY.exec(name) ?? []
  if (Number(id) === process.pid) return isOfThisProcess(BigInt(since ?? 0))
  try {
    process.kill(Number(id), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** In a container each start may have the same process id. */
function isOfThisProcess(since: bigint): boolean {
  const now = process.hrtime.bigint()
  const started = now - BigInt(Math.ceil(process.uptime() * 1e9))
  return since >= started && since <= now
}
