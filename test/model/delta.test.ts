/**
 * Random sequences of operations by two writers of one table against rows in a map: every version reads
 * as the model says, each key once, whatever was merged, appended, added, checkpointed or reopened.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openMemoryObjectStore } from '../../src/adapters/memory/index.ts'
import type { CellValue, ColumnPolicy, Row } from '../../src/core/index.ts'
import { type ColumnSpec, DeltaTable, type MergeRules } from '../../src/delta/index.ts'
import { openTestDelta } from '../helpers/delta.ts'

type Stored = Readonly<Record<string, CellValue>>
type Rows = ReadonlyMap<string, Stored>

const policies: Readonly<Record<string, ColumnPolicy>> = {
  id: 'key',
  place: 'replace',
  name: 'coalesce',
  n: 'replace',
  made: 'first',
  at: 'min'
}
const rules: MergeRules = { keys: ['id'], policies: new Map(Object.entries(policies)) }
const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'name', type: 'string', nullable: true },
  { name: 'n', type: 'long', nullable: true },
  { name: 'made', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true }
]

/** What the table must hold at each version. */
class Model {
  readonly versions: Rows[] = [new Map()]
  extra: string[] = []
  ids = 0

  get newest(): Rows {
    return this.versions.at(-1) ?? new Map()
  }
}

interface Real {
  readonly writers: DeltaTable[]
  reopen(writer: number): Promise<void>
}

type Command = fc.AsyncCommand<Model, Real>

function command(text: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text }
}

/** One row of the batch over the stored one, in plain words. */
function changed(before: Stored | undefined, row: Row, names: readonly string[]): Stored {
  const after: Record<string, CellValue> = {}
  for (const name of names) {
    const old = before?.[name] ?? null
    const given = row[name]
    const policy = before === undefined ? 'replace' : (policies[name] ?? 'replace')
    if (given === undefined) after[name] = old
    else if (policy === 'replace') after[name] = given
    else if (policy === 'coalesce') after[name] = given === null ? old : given
    else if (policy === 'min') after[name] = smallest([old, given])
    else after[name] = old === null ? given : old
  }
  return after
}

function smallest(cells: readonly CellValue[]): CellValue {
  const known = cells.filter(cell => cell !== null)
  return known.sort((a, b) => Number(BigInt(a) - BigInt(b)))[0] ?? null
}

function merged(
  rows: Rows,
  batch: readonly Row[],
  insertOnly: boolean,
  names: readonly string[]
): Rows {
  const result = new Map(rows)
  for (const row of batch) {
    const id = row['id']
    if (typeof id !== 'string' || (insertOnly && result.has(id))) continue
    result.set(id, changed(result.get(id), row, names))
  }
  return result
}

const sorted = (rows: Iterable<Stored>): Stored[] =>
  [...rows].sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1))

const namesOf = (model: Model): string[] => [...columns.map(({ name }) => name), ...model.extra]

/** Columns that were added later are null, or not there yet, in older versions. */
function complete(rows: Iterable<Stored>, names: readonly string[]): Stored[] {
  return sorted(rows).map(row => Object.fromEntries(names.map(name => [name, row[name] ?? null])))
}

async function checkVersion(model: Model, table: DeltaTable, version?: number): Promise<void> {
  const rows = await table.read(version === undefined ? {} : { version })
  const expected = version === undefined ? model.newest : model.versions[version]
  assert.deepEqual(
    complete(rows, namesOf(model)),
    complete(expected?.values() ?? [], namesOf(model))
  )
}

/** A merge that changes nothing commits nothing; one that did may only say so when something differs. */
function record(model: Model, version: number, rows: Rows): void {
  const last = model.versions.length - 1
  if (version === last) {
    const names = namesOf(model)
    assert.deepEqual(complete(rows.values(), names), complete(model.newest.values(), names))
  } else {
    assert.equal(version, last + 1)
    model.versions.push(rows)
  }
}

const merge = (
  writer: number,
  batch: readonly Row[],
  insertOnly: boolean,
  targetFileBytes: number
) =>
  command(`merge ${insertOnly ? 'new ' : ''}${show(batch)} by ${writer}`, async (model, real) => {
    const table = real.writers[writer] as DeltaTable
    const result = await table.merge(batch, { ...rules, insertOnly }, { targetFileBytes })
    const rows = merged(model.newest, batch, insertOnly, namesOf(model))
    assert.equal(result.inserted, rows.size - model.newest.size)
    assert.equal(result.dropped, batch.filter(row => typeof row['id'] !== 'string').length)
    record(model, result.version, rows)
    await checkVersion(model, real.writers[1 - writer] as DeltaTable)
  })

const race = (batches: readonly (readonly Row[])[]) =>
  command(`race ${show(batches)}`, async (model, real) => {
    const ran = await Promise.all(
      batches.map(async (batch, writer) => {
        const table = real.writers[writer] as DeltaTable
        return { batch, result: await table.merge(batch, rules) }
      })
    )
    // One that changed nothing carries the version that it saw.
    const noop = (one: (typeof ran)[number]): number =>
      one.result.inserted + one.result.updated === 0 ? 1 : 0
    ran.sort((a, b) => a.result.version - b.result.version || noop(a) - noop(b))
    for (const { batch, result } of ran) {
      record(model, result.version, merged(model.newest, batch, false, namesOf(model)))
    }
    await checkVersion(model, real.writers[0] as DeltaTable)
  })

const append = (writer: number, batch: readonly Row[]) =>
  command(`append ${batch.length} by ${writer}`, async (model, real) => {
    const rows = batch.map(row => ({ ...row, id: `appended ${model.ids++}` }))
    const { version } = await (real.writers[writer] as DeltaTable).append(rows)
    record(model, version, merged(model.newest, rows, false, namesOf(model)))
  })

const addColumn = (writer: number) =>
  command(`add a column by ${writer}`, async (model, real) => {
    const table = real.writers[writer] as DeltaTable
    const name = `extra${model.extra.length}`
    await table.addColumns([...columns, { name, type: 'string', nullable: true }])
    model.extra.push(name)
    const rows = model.newest
    await table.merge([{ id: 'with extra', [name]: name }], rules)
    model.versions.push(rows)
    record(
      model,
      (await table.snapshot()).version,
      merged(rows, [{ id: 'with extra', [name]: name }], false, namesOf(model))
    )
  })

const checkpoint = (writer: number) =>
  command(`checkpoint by ${writer}`, async (model, real) => {
    const version = await (real.writers[writer] as DeltaTable).checkpoint()
    assert.equal(version, model.versions.length - 1)
  })

const reopen = (writer: number) =>
  command(`reopen ${writer}`, async (model, real) => {
    await real.reopen(writer)
    await checkVersion(model, real.writers[writer] as DeltaTable)
  })

const readPast = (part: number) =>
  command(`read at ${part.toFixed(2)} of the history`, async (model, real) => {
    const version = Math.floor(part * model.versions.length)
    await checkVersion(model, real.writers[0] as DeltaTable, version)
  })

const verify = command('verify', async (model, real) => {
  const report = await (real.writers[0] as DeltaTable).verify(['id'])
  assert.deepEqual(report.problems, [])
  assert.equal(await (real.writers[1] as DeltaTable).countRows(), model.newest.size)
})

function show(value: unknown): string {
  return JSON.stringify(value, (_, cell) => (typeof cell === 'bigint' ? `${cell}n` : cell))
}

const text = fc.constantFrom('a', 'b', "it's", 'Köln 😀', 'x'.repeat(40))
const row = fc.record(
  {
    id: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 30 }).map(n => `k${n}`) },
      { weight: 1, arbitrary: fc.constant(null) }
    ),
    place: fc.option(fc.constantFrom('p 1', 'p/2')),
    name: fc.option(text),
    n: fc.option(fc.integer()),
    made: fc.option(text),
    at: fc.option(fc.bigInt({ min: -1_000_000n, max: 10n ** 15n }))
  },
  { requiredKeys: ['id'] }
)
const batch = fc.array(row, { maxLength: 12 })
const writer = fc.integer({ min: 0, max: 1 })
const oneOfThese = [
  fc
    .tuple(writer, batch, fc.boolean(), fc.constantFrom(1, 4000, 10_000_000))
    .map(([who, rows, insertOnly, bytes]) => merge(who, rows, insertOnly, bytes)),
  fc.tuple(batch, batch).map(race),
  fc
    .tuple(writer, fc.array(row, { minLength: 1, maxLength: 12 }))
    .map(([who, rows]) => append(who, rows)),
  writer.map(addColumn),
  writer.map(checkpoint),
  writer.map(reopen),
  fc.double({ min: 0, max: 0.999, noNaN: true }).map(readPast),
  fc.constant(verify)
]

for (const partitionBy of [[], ['place']]) {
  const kind = partitionBy.length === 0 ? 'a plain table' : 'a partitioned table'
  test(`${kind} holds at every version what a map of rows would`, async () => {
    await using delta = await openTestDelta('memory')
    const property = fc.asyncProperty(
      fc.commands(oneOfThese, { maxCommands: 20 }),
      async commands => {
        const ports = delta.over(openMemoryObjectStore())
        const properties = { 'delta.checkpointInterval': '3' }
        const spec = { columns, partitionBy, properties }
        const open = (): Promise<DeltaTable> =>
          DeltaTable.openOrCreate('t', spec, ports, delta.options)
        const writers = [await open(), await open()]
        const reopenOne = async (index: number): Promise<void> => {
          await writers[index]?.close()
          writers[index] = await open()
        }
        try {
          const setup = () => ({ model: new Model(), real: { writers, reopen: reopenOne } })
          await fc.asyncModelRun(setup, commands)
        } finally {
          for (const table of writers) await table.close()
        }
      }
    )
    await fc.assert(property, { numRuns: Number(process.env['CLAIMS_TEST_RUNS'] ?? 12) })
  })
}
