/**
 * Moves the write-ahead log into the main file from a thread of its own: a checkpoint syncs two files
 * and would hold the event loop for tens of milliseconds.
 */
import { Worker } from 'node:worker_threads'

/** Bytes written between two checkpoints. */
const EVERY_BYTES = 4 << 20
/** A write-ahead log of this length makes writers wait, so that it can start over. */
const LONG_BYTES = 32 << 20
const PAGE_BYTES = 4096
/** What a transaction writes besides its records: a few pages. */
const OVERHEAD_BYTES = 4 * PAGE_BYTES

/** Plain script text: it needs no file of its own in the published package. */
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads')
const { DatabaseSync } = require('node:sqlite')
const db = new DatabaseSync(workerData.path, { timeout: 100 })
db.exec('PRAGMA synchronous = NORMAL')
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
parentPort.on('message', message => {
  if (message === 'close') {
    db.close()
    parentPort.close()
    return
  }
  try {
    const { log, checkpointed } = checkpoint.get()
    parentPort.postMessage({ log, checkpointed })
  } catch (error) {
    parentPort.postMessage({ error: String(error) })
  }
})
`

type Answer = { readonly log: number; readonly checkpointed: number } | { readonly error: string }

export interface Checkpointer {
  /** Told after each transaction. Resolves at once, unless the write-ahead log became too long. */
  written(bytes: number): Promise<void>
  close(): Promise<void>
}

export function createCheckpointer(path: string, failed: (reason: string) => void): Checkpointer {
  let worker: Worker | undefined
  let sinceBytes = 0
  let walBytes = 0
  let running: Promise<void> | undefined

  async function checkpoint(): Promise<void> {
    worker ??= start()
    const answer = await ask(worker)
    if ('error' in answer) {
      failed(answer.error)
      return
    }
    walBytes = answer.log === answer.checkpointed ? 0 : answer.log * PAGE_BYTES
  }

  function start(): Worker {
    const started = new Worker(SCRIPT, { eval: true, workerData: { path } })
    started.unref()
    // `ask` reports errors; without a listener they would end the process.
    started.on('error', () => {})
    started.once('exit', () => {
      worker = undefined
    })
    return started
  }

  return {
    async written(bytes) {
      sinceBytes += bytes + OVERHEAD_BYTES
      if (sinceBytes < EVERY_BYTES) return
      if (running === undefined) {
        sinceBytes = 0
        running = checkpoint().finally(() => {
          running = undefined
        })
      }
      if (walBytes > LONG_BYTES) await running
    },
    async close() {
      await running
      const last = worker
      if (last === undefined) return
      const ended = new Promise(resolve => last.once('exit', resolve))
      last.ref()
      last.postMessage('close')
      await ended
    }
  }
}

/** A thread that fails answers with its error; the next checkpoint starts a new one. */
function ask(worker: Worker): Promise<Answer> {
  return new Promise(resolve => {
    const onMessage = (answer: Answer): void => finish(answer)
    const onError = (error: unknown): void => finish({ error: String(error) })
    const onExit = (): void => finish({ error: 'the checkpoint thread ended' })
    function finish(answer: Answer): void {
      worker.off('exit', onExit)
      worker.off('message', onMessage)
      worker.off('error', onError)
      resolve(answer)
    }
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage('checkpoint')
  })
}
