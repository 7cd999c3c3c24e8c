/**
 * Moves the write-ahead log into the main file from a thread of its own: a checkpoint syncs two files
 * and would hold the event loop for tens of milliseconds.
 */
import { Worker } from 'node:worker_threads'

/** Bytes written between two checkpoints. */
const EVERY_BYTES = 4 << 20
/** After so many bytes the writer waits until the write-ahead log has been cut. */
const LONG_BYTES = 32 << 20
const PAGE_BYTES = 4096
/** What a transaction writes besides its records: a few pages. */
const OVERHEAD_BYTES = 4 * PAGE_BYTES

/** Plain script text: it needs no file of its own in the published package. */
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads')
const { DatabaseSync } = require('node:sqlite')
const db = new DatabaseSync(workerData.path, { timeout: 1000 })
db.exec('PRAGMA synchronous = NORMAL')
const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
const truncate = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
parentPort.on('message', message => {
  if (message === 'close') {
    db.close()
    parentPort.close()
    return
  }
  try {
    passive.get()
    // Now little is left: finishing holds the write lock only briefly.
    const cut = message === 'start over' && truncate.get().busy === 0
    parentPort.postMessage({ cut })
  } catch (error) {
    parentPort.postMessage({ error: String(error) })
  }
})
`

/** `start over`: to the end, and cut the file; other writers have to wait for it. */
type Request = 'passive' | 'start over'
type Answer = { readonly cut: boolean } | { readonly error: string }

export interface Checkpointer {
  /** Told after each transaction. Resolves at once, unless the write-ahead log became too long. */
  written(bytes: number): Promise<void>
  close(): Promise<void>
}

export function createCheckpointer(path: string, failed: (reason: string) => void): Checkpointer {
  let worker: Worker | undefined
  let sinceBytes = 0
  /** Written by this process since it last cut the write-ahead log. */
  let walBytes = 0
  let running: Promise<void> | undefined

  async function checkpoint(request: Request): Promise<void> {
    worker ??= start()
    const answer = await ask(worker, request)
    if ('error' in answer) failed(answer.error)
    else if (answer.cut) walBytes = 0
  }

  function run(request: Request): Promise<void> {
    sinceBytes = 0
    running = checkpoint(request).finally(() => {
      running = undefined
    })
    return running
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
      walBytes += bytes + OVERHEAD_BYTES
      if (sinceBytes < EVERY_BYTES) return
      if (walBytes < LONG_BYTES) {
        if (running === undefined) void run('passive')
        return
      }
      await running
      await run('start over')
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
function ask(worker: Worker, request: Request): Promise<Answer> {
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
    worker.postMessage(request)
  })
}
