import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Row } from '../../../src/core/index.ts'
import {
  type ColumnSpec,
  DeltaTable,
  type MergeRules,
  type TableSpec
} from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'

const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'n', type: 'long', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'x', type: 'double', nullable: true },
  { name: 'i', type: 'integer', nullable: true },
  { name: 'ok', type: 'boolean', nullable: true }
]
const rules: MergeRules = {
  keys: ['id'],
  policies: new Map([
    ['id', 'key'],
    ['place', 'coalesce'],
    ['n', 'coalesce'],
    ['at', 'min']
  ])
}
const full: Row = {
  id: 'a"\'é😀',
  place: 'Köln\n2',
  n: 9_007_199_254_740_993n,
  at: -1_234_567n,
  day: '1969-07-20',
  x: -0.5,
  i: -2_147_483_648,
  ok: false
}

for (const kind of ['local', 'memory'] as const) {
  describe(`Delta table on a ${kind} store`, () => {
    const withTable = async (
      spec: Partial<TableSpec>,
      use: (table: DeltaTable, delta: TestDelta) => Promise<void>
    ): Promise<void> => {
      await using delta = await openTestDelta(kind)
      const table = await create(delta, spec)
      await use(table, delta)
      await table.close()
    }

    test('gives back every type of value as it was stored, nulls too', () =>
      withTable({}, async table => {
        const empty = Object.fromEntries(columns.map(({ name }) => [name, null]))
        await table.merge([full, { id: 'only the key' }], rules)
        assert.deepEqual(await sorted(table), [full, { ...empty, id: 'only the key' }])
      }))

    test('reads every version as it was', () =>
      withTable({ properties: { 'delta.checkpointInterval': '3' } }, async table => {
        for (let n = 1; n <= 8; n++) await table.merge([{ id: 'a', n }], rules)
        for (let n = 1; n <= 8; n++) {
          assert.deepEqual(await table.read({ version: n, columns: ['n'] }), [{ n }])
        }
        assert.deepEqual(await table.read({ version: 0 }), [])
        await assert.rejects(table.read({ version: 9 }), { code: 'DELTA_VERSION_NOT_FOUND' })
      }))

    test('commits nothing when nothing changes', () =>
      withTable({}, async table => {
        const first = await table.merge([full], rules)
        const again = await table.merge([full, { id: full['id'] as string, n: null }], rules)
        assert.equal(again.version, first.version)
        assert.deepEqual(counts(again), { inserted: 0, updated: 0, unchanged: 2, dropped: 0 })
      }))

    test('drops and counts rows without a key', () =>
      withTable({}, async table => {
        const result = await table.merge([{ id: null, n: 1 }, { n: 2 }, { id: 'a' }], rules)
        assert.deepEqual(counts(result), { inserted: 1, updated: 0, unchanged: 0, dropped: 2 })
      }))

    test('writes partitions, nulls and odd characters in them included', () =>
      withTable({ partitionBy: ['place'] }, async (table, delta) => {
        const places = ['a b', 'x/y', 'q?=%', 'ü', null, '2024-01-01 00:00', '{[^]}', "it's", '']
        const rows = places.map((place, index) => ({ id: `k${index}`, place, n: index }))
        await table.append(rows)
        await table.merge(
          [
            { id: 'k0', n: 100 },
            { id: 'k9', place: 'ü', n: 9 }
          ],
          rules
        )
        const stored = await sorted(await DeltaTable.open('t', delta.ports, delta.options))
        assert.deepEqual(
          stored.map(row => [row['id'], row['place'], row['n']]),
          [
            ...rows.map(row => [row.id, row.place === '' ? null : row.place, row.n || 100]),
            ['k9', 'ü', 9]
          ]
        )
        assert.deepEqual((await table.verify(['id'])).problems, [])
      }))

    test('moves a row to its new partition', () =>
      withTable({ partitionBy: ['place'] }, async table => {
        await table.merge(
          [
            { id: 'a', place: 'x' },
            { id: 'b', place: 'x' }
          ],
          rules
        )
        await table.merge([{ id: 'a', place: 'y', n: 1 }], rules)
        assert.deepEqual(await table.read({ columns: ['id'], where: "place = 'y'" }), [{ id: 'a' }])
        assert.deepEqual(await table.read({ columns: ['id'], where: "place = 'x'" }), [{ id: 'b' }])
      }))

    test('adds nullable columns and reads older files with nulls', () =>
      withTable({}, async (table, delta) => {
        await table.append([{ id: 'old' }])
        const wider = [...columns, { name: 'extra', type: 'string', nullable: true } as const]
        await table.addColumns(wider)
        await table.addColumns(wider)
        await table.merge([{ id: 'new', extra: 'e' }], rules)
        const again = await DeltaTable.open('t', delta.ports, delta.options)
        const rows = await again.read({ columns: ['id', 'extra'] })
        assert.deepEqual(byId(rows), [
          { id: 'new', extra: 'e' },
          { id: 'old', extra: null }
        ])
        assert.equal((await again.snapshot()).version, 3)
        await assert.rejects(table.addColumns([{ name: 'n', type: 'string', nullable: true }]), {
          code: 'DELTA_SCHEMA_MISMATCH',
          message: /column n as long/
        })
        await assert.rejects(table.addColumns([{ name: 'q', type: 'string', nullable: false }]), {
          code: 'DELTA_SCHEMA_MISMATCH'
        })
      }))

    test('names the column of a value that does not fit, and writes nothing', () =>
      withTable({}, async table => {
        const wrong: Row[] = [
          { id: 'a', n: 'text' },
          { id: 'a', n: 1.5 },
          { id: 'a', at: 5 },
          { id: 'a', day: '20240101' },
          { id: 'a', i: 2 ** 31 },
          { id: 'a', ok: 1 },
          { id: 'a', nothing: 1 }
        ]
        for (const row of wrong) {
          const name = Object.keys(row)[1] as string
          await assert.rejects(table.merge([{ id: 'b' }, row], rules), {
            code: 'DELTA_SCHEMA_MISMATCH',
            message: new RegExp(`\\b${name}\\b`)
          })
        }
        assert.equal((await table.snapshot()).version, 0)
      }))

    test('keeps few files under many small merges', () =>
      withTable({}, async table => {
        for (let i = 0; i < 40; i++) {
          await table.merge([{ id: `k${i}` }, { id: `k${i >> 1}`, n: i }], rules)
        }
        const { files } = await table.snapshot()
        assert.ok(files.size <= 2, `${files.size} files`)
        assert.equal((await table.read()).length, 40)
        assert.deepEqual((await table.verify(['id'])).problems, [])
      }))

    test('opens without the hint, with a damaged one and with one that is ahead of the files', () =>
      withTable({ properties: { 'delta.checkpointInterval': '2' } }, async (table, delta) => {
        for (let n = 1; n <= 5; n++) await table.merge([{ id: 'a', n }, { id: `b${n}` }], rules)
        await table.close()
        const hint = 't/_delta_log/_last_checkpoint'
        assert.notEqual(await delta.ports.store.head(hint), undefined)
        for (const text of ['{"version":', 'null', '{"version":99}', '{"version":3}', undefined]) {
          if (text === undefined) await delta.ports.store.delete(hint)
          else await delta.ports.store.put(hint, Buffer.from(text))
          const again = await DeltaTable.open('t', delta.ports, delta.options)
          assert.equal((await again.snapshot()).version, 5)
          assert.equal((await again.read()).length, 6)
          await again.close()
        }
      }))

    test('needs no commit older than the checkpoint', () =>
      withTable({}, async (table, delta) => {
        for (let n = 1; n <= 12; n++) await table.merge([{ id: `b${n}` }], rules)
        await table.close()
        for (let version = 0; version < 10; version++) {
          const name = `${version}`.padStart(20, '0')
          await delta.ports.store.delete(`t/_delta_log/${name}.json`)
        }
        const again = await DeltaTable.open('t', delta.ports, delta.options)
        assert.equal((await again.read()).length, 12)
        await again.merge([{ id: 'b1', n: 5 }], rules)
        await assert.rejects(again.read({ version: 5 }), { code: 'DELTA_VERSION_NOT_FOUND' })
      }))

    test('reports a gap in the log', () =>
      withTable({}, async (table, delta) => {
        for (let n = 1; n <= 3; n++) await table.merge([{ id: 'a', n }], rules)
        await delta.ports.store.delete('t/_delta_log/00000000000000000002.json')
        await assert.rejects(DeltaTable.open('t', delta.ports, delta.options), {
          code: 'DELTA_LOG_CORRUPT',
          message: /commit 2 is missing/
        })
      }))

    test('reads only the files that a filter may match', () =>
      withTable({}, async (table, delta) => {
        for (let n = 0; n < 4; n++) {
          const at = BigInt(n) * 86_400_000_000n
          await table.append([
            { id: `k${n}`, n, day: `2024-01-0${n + 1}`, at },
            { id: `l${n}`, n: n + 0.0, at: at + 999n }
          ])
        }
        const { files } = await table.snapshot()
        const newest = [...files.keys()].at(-1) as string
        // Without its file the row can only be found missing by a read that wants it.
        await delta.ports.store.delete(`t/${newest}`)
        const fresh = await DeltaTable.open('t', delta.ports, delta.options)
        const wheres = [
          'n <= 2',
          'n IN (0, 1)',
          "day = DATE '2024-01-02'",
          "id < 'k3'",
          'n BETWEEN 0 AND 1'
        ]
        for (const where of [...wheres, '"at" < TIMESTAMP \'1970-01-03\'']) {
          assert.ok((await fresh.read({ where })).length >= 1, where)
        }
        if (kind === 'local') await assert.rejects(fresh.read({ where: 'n >= 3 OR n < 0' }))
      }))

    test('refuses filters that are not one expression over the columns', () =>
      withTable({}, async table => {
        await table.merge([full], rules)
        const filters = [
          'n >',
          'nothing = 1',
          '1=1) OR (SELECT true',
          'n = 1; DROP TABLE x',
          'n IN (SELECT 1)',
          '1=1) UNION SELECT (1',
          ''
        ]
        for (const where of filters) {
          await assert.rejects(table.read({ where }), { code: 'DELTA_QUERY_INVALID' }, where)
        }
        await assert.rejects(table.read({ columns: ['none'] }), { code: 'DELTA_QUERY_INVALID' })
      }))

    test('finds missing files, wrong sizes, wrong counts and double keys', () =>
      withTable({}, async (table, delta) => {
        await table.append([{ id: 'a' }, { id: 'b' }])
        await table.append([{ id: 'a' }])
        assert.match((await table.verify(['id'])).problems.join(), /1 keys \(id\) occur more/)
        const [first, second] = [...(await table.snapshot()).files.keys()]
        const other = await delta.ports.store.get(`t/${second}`)
        await delta.ports.store.put(`t/${first}`, other)
        await delta.ports.store.delete(`t/${second}`)
        const fresh = await DeltaTable.open('t', delta.ports, delta.options)
        const { problems } = await fresh.verify(['id'])
        assert.ok(problems.some(problem => problem === `${second} is missing`))
        assert.ok(problems.some(problem => problem.startsWith(`${first} has`)))
      }))

    test('keeps an append-only table from being changed, but lets it grow', () =>
      withTable({ properties: { 'delta.appendOnly': 'true' } }, async table => {
        await table.merge([{ id: 'a', n: 1 }], rules)
        await assert.rejects(table.merge([{ id: 'a', n: 2 }], rules), {
          code: 'DELTA_UNSUPPORTED',
          message: /append-only/
        })
        await table.merge([{ id: 'b', n: 1 }], { ...rules, insertOnly: true })
        assert.equal((await table.read()).length, 2)
      }))
  })
}

describe('Delta table', () => {
  test('is created once by several at the same time', async () => {
    await using delta = await openTestDelta()
    const tables = await Promise.all(Array.from({ length: 6 }, () => create(delta, {})))
    const ids = new Set<string>()
    for (const table of tables) ids.add((await table.snapshot()).metadata.id)
    assert.equal(ids.size, 1)
    assert.equal((await tables[0]?.history())?.length, 1)
  })

  test('is never created over one that could not be read', async () => {
    await using delta = await openTestDelta()
    const { store } = delta.ports
    await create(delta, {}).then(table => table.append([{ id: 'a' }]))
    const broken = {
      ...bound(store),
      list: async function* () {
        yield* []
        throw Object.assign(new Error('throttled'), { code: 'STORAGE_UNAVAILABLE' })
      }
    }
    const spec = { columns }
    await assert.rejects(
      DeltaTable.openOrCreate('t', spec, delta.over(broken), delta.options),
      /throttled/
    )
    const table = await DeltaTable.open('t', delta.ports, delta.options)
    assert.equal((await table.read()).length, 1)
    await assert.rejects(DeltaTable.open('none', delta.ports, delta.options), {
      code: 'DELTA_TABLE_NOT_FOUND'
    })
  })

  test('takes merges of eight writers with overlapping keys: each key once, the newest value', async () => {
    await using delta = await openTestDelta()
    await (await create(delta, {})).close()
    const guarded: MergeRules = {
      ...rules,
      policies: new Map([
        ['id', 'key'],
        ['n', 'replace']
      ]),
      guard: { columns: ['n'], strict: false }
    }
    const writers = await Promise.all(Array.from({ length: 8 }, () => create(delta, {})))
    await Promise.all(
      writers.map(async (table, writer) => {
        for (let round = 0; round < 5; round++) {
          const n = round * 8 + writer
          const rows = Array.from({ length: 30 }, (_, i) => ({ id: `k${(i + writer) % 35}`, n }))
          await table.merge([...rows, { id: `own ${writer} ${round}`, n }], guarded)
        }
      })
    )
    const table = await create(delta, {})
    const rows = await table.read({ columns: ['id', 'n'] })
    assert.equal(rows.length, 35 + 40)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    for (let k = 0; k < 35; k++) {
      const best = Math.max(
        ...writers.flatMap((_, w) => ((k - w + 35) % 35 < 30 ? [4 * 8 + w] : []))
      )
      assert.equal(rows.find(row => row['id'] === `k${k}`)?.['n'], best, `k${k}`)
    }
    // Checkpoints run beside the merges and would still write while the directory is removed.
    for (const open of [...writers, table]) await open.close()
  })

  test('writes the files of an append once, however many conflicts it meets', async () => {
    await using delta = await openTestDelta()
    await create(delta, {})
    const writers = await Promise.all(Array.from({ length: 6 }, () => create(delta, {})))
    await Promise.all(writers.map((table, i) => table.append([{ id: `a${i}` }])))
    const paths: string[] = []
    for await (const { path } of delta.ports.store.list('t/part-')) paths.push(path)
    assert.equal(paths.length, 6)
    for (const table of writers) await table.close()
  })

  test('knows its own commit when the answer of the store is lost', async () => {
    await using delta = await openTestDelta()
    await create(delta, {})
    let losses = 0
    const flaky = {
      ...bound(delta.ports.store),
      put: async (path: string, bytes: Uint8Array, options?: { ifAbsent?: boolean }) => {
        const commit = options?.ifAbsent === true
        if (commit && losses % 3 === 2) {
          losses++
          throw new Error('lost before')
        }
        const result = await delta.ports.store.put(path, bytes, options)
        if (commit && losses++ % 3 === 1) throw new Error('lost after')
        return result
      }
    }
    const table = await DeltaTable.open('t', delta.over(flaky), delta.options)
    for (let i = 0; i < 12; i++) await table.append([{ id: `k${i}` }])
    assert.ok(losses > 12)
    assert.equal((await table.snapshot()).version, 12)
    assert.equal((await table.read()).length, 12)
  })

  test('is refused by name when it needs what this engine has not', async () => {
    await using delta = await openTestDelta()
    const refuse = async (
      name: string,
      protocol: object,
      configuration: Record<string, string>
    ): Promise<DeltaTable> => {
      const table = await DeltaTable.openOrCreate(name, { columns }, delta.ports, delta.options)
      const { metadata } = await table.snapshot()
      const metaData = { ...metadata, configuration }
      const line = `${JSON.stringify({ protocol })}\n${JSON.stringify({ metaData })}\n`
      await writeFile(
        join(delta.root, 'tables', name, '_delta_log', `${'1'.padStart(20, '0')}.json`),
        line
      )
      return table
    }
    const variant = {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['variantType', 'timestampNtz'],
      writerFeatures: ['variantType', 'timestampNtz']
    }
    await assert.rejects((await refuse('variant', variant, {})).read(), {
      code: 'DELTA_UNSUPPORTED',
      message: /cannot be read: it needs variantType, which/
    })
    const mapped = { minReaderVersion: 2, minWriterVersion: 5 }
    const byName = await refuse('map', mapped, { 'delta.columnMapping.mode': 'name' })
    assert.deepEqual(await byName.read(), [])
    await assert.rejects(byName.append([{ id: 'a' }]), {
      code: 'DELTA_LOG_CORRUPT',
      message: /no physical name for id/
    })
    assert.deepEqual(await (await refuse('unmapped', mapped, {})).read(), [])
    const features = ['checkpointProtection']
    const kept = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: features }
    const guarded = await refuse('protected', kept, {})
    assert.deepEqual(await guarded.read(), [])
    await assert.rejects(guarded.append([{ id: 'a' }]), {
      message: /cannot be written: it needs checkpointProtection/
    })
    const checked = await refuse(
      'check',
      { minReaderVersion: 1, minWriterVersion: 3 },
      { 'delta.constraints.c': 'rand(n) > 0' }
    )
    await assert.rejects(checked.append([{ id: 'a' }]), {
      message: /The expression rand\(n\) > 0 is not evaluated/
    })
  })

  test('stops between attempts when the signal aborts', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, {})
    await assert.rejects(table.merge([full], rules, { signal: AbortSignal.abort() }), {
      name: 'AbortError'
    })
    assert.equal((await table.snapshot()).version, 0)
  })

  test('exports to a file and streams in batches', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { partitionBy: ['day'] })
    await table.append(
      Array.from({ length: 3000 }, (_, i) => ({
        id: `k${i}`,
        n: i,
        day: `2024-01-0${(i % 3) + 1}`
      }))
    )
    let streamed = 0
    for await (const batch of table.readBatches({ where: "day = '2024-01-02'" }))
      streamed += batch.length
    assert.equal(streamed, 1000)
    assert.equal(await table.export(join(delta.root, 'o.parquet'), 'parquet', { limit: 10 }), 10)
    assert.equal(
      await table.export(join(delta.root, 'o.ndjson'), 'ndjson', { columns: ['id'] }),
      3000
    )
    await rm(join(delta.root, 'o.ndjson'))
  })
})

async function create(delta: TestDelta, spec: Partial<TableSpec>): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate('t', { columns, ...spec }, delta.ports, delta.options)
}

async function sorted(table: DeltaTable): Promise<Record<string, unknown>[]> {
  return byId(await table.read())
}

function byId(rows: Record<string, unknown>[]): Record<string, unknown>[] {
  return rows.sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1))
}

function counts(result: {
  inserted: number
  updated: number
  unchanged: number
  dropped: number
}): object {
  const { inserted, updated, unchanged, dropped } = result
  return { inserted, updated, unchanged, dropped }
}

/** Methods of a class instance as own properties, so that some can be replaced. */
function bound(store: TestDelta['ports']['store']): TestDelta['ports']['store'] {
  return {
    root: store.root,
    put: store.put.bind(store),
    putFile: store.putFile.bind(store),
    get: store.get.bind(store),
    head: store.head.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
    close: store.close.bind(store)
  }
}
