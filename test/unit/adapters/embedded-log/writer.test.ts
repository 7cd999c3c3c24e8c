import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createDurability } from '../../../../src/adapters/embedded-log/durability.ts'
import { createWriter, MAX_ROWS } from '../../../../src/adapters/embedded-log/writer.ts'
import { BrokerError } from '../../../../src/core/index.ts'
import { machineIds } from '../../../helpers/embedded-log.ts'

interface Setup {
  readonly db: DatabaseSync
  readonly path: string
  readonly syncs: { count: number; fail: Error | undefined; gate: Promise<void> | undefined }
  readonly writer: ReturnType<typeof createWriter>
}

async function withWriter(body: (setup: Setup) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'writer-'))
  const path = join(directory, 'x.db')
  const db = new DatabaseSync(path, { timeout: 0 })
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x INTEGER)')
  const syncs: Setup['syncs'] = { count: 0, fail: undefined, gate: undefined }
  const durability = createDurability(
    async () => {
      syncs.count++
      await syncs.gate
      if (syncs.fail !== undefined) throw syncs.fail
    },
    async () => {}
  )
  const writer = createWriter(path, { db, durability, ids: machineIds, written: async () => {} })
  try {
    await body({ db, path, syncs, writer })
  } finally {
    await writer.close()
    db.close()
    await rm(directory, { recursive: true })
  }
}

function insert(db: DatabaseSync, x: number, rows = 1) {
  const run = () => Number(db.prepare('INSERT INTO t VALUES (?)').run(x).changes)
  return { rows, bytes: 10, durable: true, run }
}

const stored = (db: DatabaseSync) =>
  db
    .prepare('SELECT x FROM t ORDER BY rowid')
    .all()
    .map(row => row['x'])

test('jobs of one turn share a transaction and one sync', () =>
  withWriter(async ({ db, syncs, writer }) => {
    await Promise.all([1, 2, 3].map(x => writer.submit(insert(db, x))))
    assert.equal(syncs.count, 1)
    assert.deepEqual(stored(db), [1, 2, 3])
  }))

test('a transaction takes no more rows than the bound', () =>
  withWriter(async ({ db, syncs, writer }) => {
    await Promise.all([1, 2, 3, 4].map(x => writer.submit(insert(db, x, MAX_ROWS / 2))))
    assert.equal(syncs.count, 2)
  }))

test('a job is done only after the sync that covers it', () =>
  withWriter(async ({ db, syncs, writer }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    syncs.gate = promise
    let settled = false
    const job = writer.submit(insert(db, 1)).then(() => {
      settled = true
    })
    while (syncs.count === 0) await new Promise(next => setImmediate(next))
    await new Promise(next => setImmediate(next))
    assert.equal(settled, false)
    resolve()
    await job
    assert.equal(settled, true)
  }))

test('a failed sync rejects, and every later write is refused', () =>
  withWriter(async ({ db, syncs, writer }) => {
    syncs.fail = new Error('EIO')
    await assert.rejects(writer.submit(insert(db, 1)), { code: 'BROKER_UNAVAILABLE' })
    syncs.fail = undefined
    await assert.rejects(writer.submit(insert(db, 2)), { code: 'BROKER_UNAVAILABLE' })
    assert.equal(syncs.count, 1)
  }))

test('a job that refuses rejects alone; its neighbours are stored', () =>
  withWriter(async ({ db, writer }) => {
    const refusal = new BrokerError('BROKER_FENCED', 'no')
    const results = await Promise.allSettled([
      writer.submit(insert(db, 1)),
      writer.submit({
        ...insert(db, 2),
        run: () => {
          throw refusal
        }
      }),
      writer.submit(insert(db, 3))
    ])
    assert.deepEqual(
      results.map(result => result.status),
      ['fulfilled', 'rejected', 'fulfilled']
    )
    assert.deepEqual(stored(db), [1, 3])
  }))

test('a job that breaks is rolled back and rejects alone; its neighbours are stored', () =>
  withWriter(async ({ db, writer }) => {
    const run = () => {
      db.exec('INSERT INTO t VALUES (2)')
      db.exec('INSERT INTO missing VALUES (1)')
    }
    const jobs = [insert(db, 1), { ...insert(db, 2), run }, insert(db, 3)]
    const results = await Promise.allSettled(jobs.map(job => writer.submit<unknown>(job)))
    assert.deepEqual(
      results.map(result => result.status),
      ['fulfilled', 'rejected', 'fulfilled']
    )
    assert.deepEqual(stored(db), [1, 3])
  }))

test('a full disk rejects as unavailable, loses nothing, and writing goes on when there is room', () =>
  withWriter(async ({ db, writer }) => {
    await writer.submit(insert(db, 1))
    db.exec('CREATE TABLE big (b BLOB); PRAGMA max_page_count = 10')
    const fill = () => db.prepare('INSERT INTO big VALUES (zeroblob(100000))').run()
    const job = { rows: 1, bytes: 100_000, durable: true, run: fill }
    await assert.rejects(writer.submit(job), { code: 'BROKER_UNAVAILABLE' })
    assert.deepEqual(stored(db), [1])
    db.exec('PRAGMA max_page_count = 1000')
    await writer.submit(job)
  }))

test('a write waits, without blocking, while another connection holds the lock', () =>
  withWriter(async ({ db, path, writer }) => {
    const other = new DatabaseSync(path, { timeout: 0 })
    other.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (1)')
    const write = writer.submit(insert(db, 2))
    for (let turn = 0; turn < 50; turn++) await new Promise(next => setImmediate(next))
    other.exec('COMMIT')
    other.close()
    await write
    assert.deepEqual(stored(db), [1, 2])
  }))

test('close finishes the jobs that wait and refuses new ones', () =>
  withWriter(async ({ db, writer }) => {
    const job = writer.submit(insert(db, 1))
    await writer.close()
    await job
    assert.deepEqual(stored(db), [1])
    await assert.rejects(writer.submit(insert(db, 2)), { code: 'BROKER_CLOSED' })
  }))
