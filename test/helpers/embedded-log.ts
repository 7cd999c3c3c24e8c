/** Embedded logs in directories of their own, on the clock of the machine. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../src/adapters/embedded-log/index.ts'
import type { Clock, Ids, MessageLog } from '../../src/ports/index.ts'

export const machineClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: ms => new Promise(resolve => setTimeout(resolve, ms))
}

export const machineIds: Ids = { uuid: randomUUID, random: Math.random }

export interface TempLog {
  readonly path: string
  readonly log: MessageLog
  /** One more log on the same file. */
  another(): Promise<MessageLog>
  close(): Promise<void>
}

export async function openTempLog(
  options: Omit<EmbeddedLogOptions, 'path'> = {},
  clock: Clock = machineClock
): Promise<TempLog> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-log-'))
  const path = join(directory, 'log.db')
  const opened: MessageLog[] = []
  const another = async () => {
    const log = await openEmbeddedLog({ path, ...options }, { clock, ids: machineIds })
    opened.push(log)
    return log
  }
  return {
    path,
    log: await another(),
    another,
    async close() {
      for (const log of opened) await log.close()
      await rm(directory, { recursive: true, force: true })
    }
  }
}
