import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { DeltaError, type TableDef } from '../../../src/core/index.ts'
import type { LogRecord, Producer, ProducerRecord } from '../../../src/ports/index.ts'
import { applyBatch, beginBatch, combine, nextOffsets } from '../../../src/runtime/batch.ts'
import { DependencyGate, type StageSpec } from '../../../src/runtime/index.ts'
import { FakeClock, fakeIds } from '../../helpers/fake-clock.ts'
import { MemoryTables } from '../../helpers/memory-tables.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'
import { done, itemTable, textStage } from '../../helpers/text-stage.ts'

let tables: MemoryTables
let sent: ProducerRecord[]

beforeEach(() => {
  tables = new MemoryTables()
  sent = []
})

function records(...texts: string[]): LogRecord[] {
  return texts.map((text, index) => ({
    topic: 'in',
    partition: 0,
    offset: BigInt(index),
    timestamp: 0,
    key: null,
    value: new TextEncoder().encode(text),
    headers: {}
  }))
}

function apply(spec: StageSpec<string>, texts: string[]) {
  const producer: Producer = {
    send: async batch => {
      sent.push(...batch)
      return []
    },
    close: async () => undefined
  }
  const clock = new FakeClock()
  const gate = new DependencyGate({ clock, ids: fakeIds() })
  const telemetry = recordTelemetry()
  return applyBatch(spec, beginBatch(spec, 1, records(...texts), 0), {
    clock,
    tables,
    producer,
    telemetry,
    gate
  })
}

const out = (topic: string) => sent.filter(record => record.topic === topic).map(r => r.value)

describe('a batch', () => {
  it('is halved until the message that makes process fail is alone (W5)', async () => {
    const sizes: number[] = []
    const spec = textStage({
      process: async batch => {
        sizes.push(batch.length)
        if (batch.some(({ message }) => message === 'poison')) throw new Error('boom')
        return done(batch)
      }
    })
    const outcomes = await apply(spec, ['a', 'b', 'poison', 'c', 'd'])
    assert.deepEqual(out('out'), ['a', 'b', 'c', 'd'])
    assert.deepEqual(out('dlq'), ['failed poison: boom'])
    assert.equal(outcomes.length, 5)
    assert.deepEqual(sizes, [5, 2, 3, 1, 2])
  })

  it('ends every message exactly once, wherever poison and unreadable ones stand (W3, W5)', async () => {
    const kind = fc.constantFrom('fine', 'poison', 'bad', 'row')
    await fc.assert(
      fc.asyncProperty(fc.array(kind, { minLength: 1, maxLength: 24 }), async kinds => {
        tables = new MemoryTables()
        sent = []
        const texts = kinds.map((name, index) => `${name}${index}`)
        tables.onMerge = (_table, rows) => {
          if (rows.some(row => String(row['id']).startsWith('row'))) {
            throw new DeltaError('DELTA_SCHEMA_MISMATCH', 'id does not fit')
          }
        }
        const spec = textStage({
          process: async batch => {
            if (batch.some(({ message }) => message.startsWith('poison'))) throw new Error('boom')
            return done(batch)
          }
        })
        const outcomes = await apply(spec, texts)
        assert.equal(outcomes.length, texts.length)
        const fine = texts.filter(text => text.startsWith('fine'))
        assert.deepEqual(out('out'), fine)
        assert.deepEqual(
          tables.rows('items').map(({ id }) => id),
          fine
        )
        assert.equal(out('dlq').length, texts.length - fine.length)
      }),
      { numRuns: 60 }
    )
  })

  it('writes the tables of one step at the same time, and the next step after all of them (W2)', async () => {
    const open = new Set<string>()
    const seen: string[] = []
    let release = (): void => undefined
    const bothOpen = new Promise<void>(resolve => {
      release = resolve
    })
    tables.onMerge = async table => {
      open.add(table)
      seen.push([...open].sort().join('+'))
      if (table === 'a' && !open.has('b')) await bothOpen
      if (table === 'b') release()
      open.delete(table)
    }
    const named = (name: string): TableDef => ({ ...itemTable, name })
    const rows = [{ id: 'x' }]
    const spec = textStage({
      process: async batch => ({
        ...done(batch),
        writes: [
          { table: named('a'), rows, step: 1 },
          { table: named('b'), rows, step: 1 },
          { table: named('c'), rows, step: 2 },
          { table: named('d'), rows }
        ]
      })
    })
    await apply(spec, ['m'])
    assert.deepEqual(seen, ['a', 'a+b', 'c', 'd'])
  })

  it('lets the other tables of a step come to an end before it fails', async () => {
    let ended = false
    tables.onMerge = async table => {
      if (table === 'a') throw new DeltaError('DELTA_UNSUPPORTED', 'no')
      await new Promise(resolve => setImmediate(resolve))
      ended = true
    }
    const write = (name: string) => ({
      table: { ...itemTable, name },
      rows: [{ id: 'x' }],
      step: 1
    })
    const spec = textStage({
      process: async batch => ({ ...done(batch), writes: [write('a'), write('b')] })
    })
    await assert.rejects(apply(spec, ['m']), /no/)
    assert.equal(ended, true)
  })

  it('isolates the message whose row a table refuses; its neighbours are written (W5)', async () => {
    tables.onMerge = (_table, rows) => {
      if (rows.some(row => row['id'] === 'b')) {
        throw new DeltaError('DELTA_SCHEMA_MISMATCH', 'column id: not a number')
      }
    }
    await apply(textStage(), ['a', 'b', 'c'])
    assert.deepEqual(out('out'), ['a', 'c'])
    assert.deepEqual(out('dlq'), ['failed b: column id: not a number'])
  })

  it('frees what the stage holds before it plans a refused batch again', async () => {
    const held = new Set<string>()
    const spec = textStage({
      process: async batch => {
        const own = batch.map(({ message }) => message).filter(id => !held.has(id))
        for (const id of own) held.add(id)
        return {
          ...done(batch),
          writes: [{ table: itemTable, rows: own.map(id => ({ id })) }],
          release: () => {
            for (const id of own) held.delete(id)
          }
        }
      }
    })
    tables.onMerge = (_table, rows) => {
      if (rows.some(row => row['id'] === 'b')) {
        throw new DeltaError('DELTA_SCHEMA_MISMATCH', 'no')
      }
    }
    await apply(spec, ['a', 'b', 'c', 'd'])
    assert.deepEqual(
      tables.rows('items').map(({ id }) => id),
      ['a', 'c', 'd']
    )
    assert.equal(held.size, 0)
  })

  it('frees what the stage holds when a table fails for good', async () => {
    let released = 0
    tables.onMerge = () => {
      throw new DeltaError('DELTA_LOG_CORRUPT', 'gone')
    }
    const spec = textStage({
      process: async batch => ({
        ...done(batch),
        release: () => {
          released += 1
        }
      })
    })
    await assert.rejects(apply(spec, ['a']), /gone/)
    assert.equal(released, 1)
    assert.deepEqual(sent, [])
  })

  it('treats a stage that gives too few outcomes as failed, one message at a time', async () => {
    const spec = textStage({ process: async () => ({ outcomes: [], writes: [] }) })
    await apply(spec, ['a', 'b'])
    assert.equal(out('dlq').length, 2)
    assert.match(String(out('dlq')[0]), /not one outcome a message/)
  })

  it('commits the offset after the last record of each partition', () => {
    const [a, b] = records('a', 'b')
    assert.ok(a !== undefined && b !== undefined)
    assert.deepEqual(nextOffsets([a, { ...b, partition: 3, offset: 9n }, b]), [
      { topic: 'in', partition: 0, offset: 2n },
      { topic: 'in', partition: 3, offset: 10n }
    ])
  })
})

describe('combine', () => {
  const parents: TableDef = { ...itemTable, name: 'parents' }
  const children: TableDef = { ...itemTable, name: 'children' }

  it('keeps the order of the stage: parents stay before children (W2)', () => {
    const combined = combine(
      { tables: [parents, children] },
      { outcomes: [], writes: [{ table: children, rows: [{ id: 'c1' }] }] },
      {
        outcomes: [],
        writes: [
          { table: parents, rows: [{ id: 'p' }] },
          { table: children, rows: [{ id: 'c2' }] }
        ]
      }
    )
    assert.deepEqual(
      combined.writes.map(({ table, rows }) => [table.name, rows.map(({ id }) => id)]),
      [
        ['parents', ['p']],
        ['children', ['c1', 'c2']]
      ]
    )
  })

  it('runs afterProduce and release of both', async () => {
    const ran: string[] = []
    const part = (name: string) => ({
      outcomes: [],
      writes: [],
      afterProduce: async () => void ran.push(`after ${name}`),
      release: () => void ran.push(`release ${name}`)
    })
    const combined = combine({ tables: [] }, part('a'), part('b'))
    await combined.afterProduce?.()
    combined.release?.()
    assert.deepEqual(ran, ['after a', 'after b', 'release a', 'release b'])
  })
})
