/** What SQLite's result codes mean to callers of the log. */
import { BrokerError, isPipelineError } from '../../core/index.ts'

const BUSY = 5
const LOCKED = 6
const CORRUPT = 11
const NOTADB = 26

function resultCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/** Another connection holds a lock: worth another attempt shortly. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === LOCKED
}

/** Turns anything SQLite throws into a `BrokerError`; errors of ours pass. */
export function toBrokerError(error: unknown, path: string, doing: string): Error {
  if (isPipelineError(error)) return error
  const code = resultCode(error)
  const text = error instanceof Error ? error.message : String(error)
  if (code === CORRUPT || code === NOTADB) {
    return new BrokerError('BROKER_FORMAT', `${doing}: ${path} is not a sound log file: ${text}`, {
      cause: error
    })
  }
  return new BrokerError('BROKER_UNAVAILABLE', `${doing} failed on ${path}: ${text}`, {
    cause: error
  })
}

export function closedError(what: string): BrokerError {
  return new BrokerError('BROKER_CLOSED', `The ${what} of the embedded log is closed.`)
}

export function unknownTopic(topic: string, partition?: number): BrokerError {
  const where = partition === undefined ? '' : `, partition ${partition},`
  return new BrokerError(
    'BROKER_UNKNOWN_TOPIC',
    `Topic ${topic}${where} does not exist in the embedded log; create it first.`
  )
}
