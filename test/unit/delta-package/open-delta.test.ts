import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  type DeltaLake,
  DeltaTable,
  duckDbEngine,
  isDeltaError,
  type MaintenanceResult,
  memoryObjectStore,
  openDelta,
  systemClock,
  systemIds
} from '../../../src/delta-package/index.ts'

const columns = { id: { type: 'string', nullable: false }, note: 'string', size: 'long' } as const

describe('openDelta', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'open-delta-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  const open = (name: string): Promise<DeltaLake> => openDelta({ root: join(dir, name) })

  it('goes from nothing to a merged table that another opening reads', async () => {
    {
      await using lake = await open('first')
      const table = await lake.openOrCreate('media', { columns })
      const result = await table.merge([{ id: 'a', note: 'x' }, { id: 'b' }], { keys: ['id'] })
      assert.equal(result.inserted, 2)
    }
    await using lake = await open('first')
    const table = await lake.open<{ id: string; note: string | null }>('./media/')
    const rows = await table.read({ columns: ['id', 'note'] })
    assert.deepEqual(
      rows.sort((a, b) => a.id.localeCompare(b.id)),
      [
        { id: 'a', note: 'x' },
        { id: 'b', note: null }
      ]
    )
  })

  it('takes policies as an object, and refuses those that name nothing', async () => {
    await using lake = await open('policies')
    const table = await lake.openOrCreate('t', { columns })
    await table.merge([{ id: 'a', note: 'old', size: 5 }], { keys: ['id'] })
    const policies = { note: 'coalesce', size: 'min' } as const
    await table.merge([{ id: 'a', note: null, size: 7 }], { keys: ['id'], policies })
    assert.deepEqual(await table.read(), [{ id: 'a', note: 'old', size: 5 }])
    const merge = (rules: object) => table.merge([{ id: 'a' }], rules as { keys: ['id'] })
    await assert.rejects(merge({ keys: [] }), { code: 'DELTA_MERGE_INVALID' })
    await assert.rejects(merge({}), { code: 'DELTA_MERGE_INVALID' })
    await assert.rejects(merge({ keys: ['id'], policies: { note: 'colaesce' } }), {
      code: 'DELTA_MERGE_INVALID',
      message: /"colaesce" \(of the column note\).*coalesce/
    })
    const mismatch = { code: 'DELTA_SCHEMA_MISMATCH' }
    await assert.rejects(merge({ keys: ['id'], policies: { notes: 'first' } }), mismatch)
    await assert.rejects(merge({ keys: ['id'], policies: { note: 'with:sise' } }), mismatch)
    await assert.rejects(merge({ keys: ['id'], guard: { columns: ['at'], strict: true } }), {
      message: /no column at, which the guard names/
    })
  })

  it('gives all who open a table one object, until it is closed', async () => {
    await using lake = await open('shared')
    const spec = { columns }
    const absent = lake.openIfExists('t')
    const [a, b] = await Promise.all([lake.openOrCreate('t', spec), lake.openOrCreate('t', spec)])
    assert.equal(await absent, undefined)
    assert.equal(a, b)
    assert.equal(await lake.open('t'), a)
    await a.close()
    const again = await lake.openOrCreate('t', spec)
    assert.notEqual(again, a)
    await again.append([{ id: 'a' }])
    assert.equal(await again.countRows(), 1)
  })

  it('creates a table by a call that waited for one that found none', async () => {
    await using lake = await open('race')
    const opened = await Promise.allSettled([lake.open('t'), lake.openOrCreate('t', { columns })])
    assert.deepEqual(
      opened.map(({ status }) => status),
      ['rejected', 'fulfilled']
    )
  })

  it('compares the columns with those of a table that is there', async () => {
    await using lake = await open('columns')
    await lake.openOrCreate('t', { columns })
    const more = { ...columns, at: 'timestamp' } as const
    await assert.rejects(lake.openOrCreate('t', { columns: more }), {
      code: 'DELTA_SCHEMA_MISMATCH',
      message: /lacks the columns at.*addColumns/
    })
    const table = await lake.openOrCreate('t', { columns: more }, { addColumns: true })
    await table.append([{ id: 'a', at: 5n }])
    assert.deepEqual(await table.read({ columns: ['at'] }), [{ at: 5n }])
    const other = { id: { type: 'long', nullable: false } } as const
    await assert.rejects(lake.openOrCreate('t', { columns: other }), {
      code: 'DELTA_SCHEMA_MISMATCH'
    })
  })

  it('lists tables, and opens the root itself as one', async () => {
    {
      await using lake = await open('list')
      assert.deepEqual(await lake.list(), [])
      for (const path of ['b', 'in/side', 'a']) await lake.openOrCreate(path, { columns })
      assert.deepEqual(await lake.list(), ['a', 'b', 'in/side'])
      assert.deepEqual(await lake.list('in'), ['in/side'])
    }
    await using table = await openDelta({ root: join(dir, 'list/in/side') })
    assert.deepEqual(await table.list(), ['.'])
    assert.equal(await (await table.open('.')).countRows(), 0)
  })

  it('says what is wrong with a path, a table or a root', async () => {
    await using lake = await open('wrong')
    for (const path of ['/etc', '../x', 'a//b', 'a/../b']) {
      await assert.rejects(lake.open(path), { code: 'STORAGE_INVALID_PATH', message: /root/ })
    }
    await assert.rejects(lake.open('none'), (error: unknown) =>
      isDeltaError(error, 'DELTA_TABLE_NOT_FOUND')
    )
    const invalid = { code: 'CONFIG_INVALID' }
    await assert.rejects(openDelta({}), invalid)
    await assert.rejects(openDelta({ root: 's3://bucket/x' }), invalid)
    await assert.rejects(openDelta({ root: dir, store: memoryObjectStore() }), invalid)
    await assert.rejects(openDelta({ root: dir, threads: 0 }), invalid)
    await assert.rejects(openDelta({ root: dir, memoryLimit: 'much' }), {
      ...invalid,
      message: /DuckDB refuses its options/
    })
  })

  it('leaves nothing in the temporary directory, and opens nothing after the end', async () => {
    const temporary = join(dir, 'temporary')
    await mkdir(temporary)
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = temporary
    try {
      const lake = await open('end')
      await (await lake.openOrCreate('t', { columns })).append([{ id: 'a' }])
      assert.equal((await readdir(temporary)).length, 1)
      await Promise.all([lake.close(), lake.close()])
      await assert.rejects(lake.open('t'), { code: 'DELTA_CLOSED' })
      await assert.rejects(openDelta({ root: dir, memoryLimit: 'much' }))
      assert.deepEqual(await readdir(temporary), [])
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })

  it('has tables look after themselves when it is asked to', async () => {
    const runs: MaintenanceResult[] = []
    const maintenance = { intervalMs: 0, onRun: (result: MaintenanceResult) => runs.push(result) }
    await using lake = await openDelta({ root: join(dir, 'upkeep'), maintenance })
    const table = await lake.openOrCreate('t', { columns })
    for (let i = 0; i < 40; i++) {
      await table.append([{ id: `${i}` }])
      await table.settled()
    }
    assert.ok(runs.length > 0)
    assert.ok((await table.snapshot()).files.size < 20)
    assert.equal(await table.countRows(), 40)
  })

  it('uses a store and an engine that are brought, and leaves them open', async () => {
    const store = memoryObjectStore()
    const engine = await duckDbEngine({ threads: 2 })
    {
      await using lake = await openDelta({ store, engine, indexDirectory: false })
      await (await lake.openOrCreate('t', { columns })).append([{ id: 'a' }])
    }
    const ports = { store, engine, clock: systemClock(), ids: systemIds() }
    await using table = await DeltaTable.open('t', ports, { scratch: join(dir, 'brought') })
    assert.equal(await table.countRows(), 1)
    const info = await store.head(`t/_delta_log/${'0'.padStart(20, '0')}.json`)
    assert.ok(Date.now() - (info?.modifiedAt ?? 0) < 60_000, 'objects have the time of the clock')
    await engine.close()
    await store.close()
  })
})
