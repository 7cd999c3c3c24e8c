/**
 * Random sequences of produce, join, poll, commit, leave, seek and purge against a small reference
 * model of one group: nothing is skipped, and nothing is committed by somebody who does not own it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isPipelineError } from '../../src/core/index.ts'
import type { Consumer, MessageLog, PolledRecords, Producer } from '../../src/ports/index.ts'
import { openTempLog } from '../helpers/embedded-log.ts'

const topic = 't'
const groupId = 'g'
const partitions = 3

interface Member {
  readonly consumer: Consumer
  /** What it polled last and has not committed. */
  held: PolledRecords | undefined
  /** The generation it has seen; 0: none yet. */
  seen: number
  /** Where each of its partitions goes on, as the model knows it. */
  readonly positions: Map<number, number>
}

/** The reference: one group on one topic. */
class Model {
  readonly ends = new Array<number>(partitions).fill(0)
  readonly earliest = new Array<number>(partitions).fill(0)
  readonly committed = new Array<number | undefined>(partitions).fill(undefined)
  members: Member[] = []
  generation = 0

  start(partition: number): number {
    return Math.max(this.committed[partition] ?? 0, this.earliest[partition]!)
  }
}

interface Real {
  readonly log: MessageLog
  readonly other: MessageLog
  readonly producer: Producer
}

type Command = fc.AsyncCommand<Model, Real>

function command(
  text: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Model) => boolean = () => true
): Command {
  return { check: model => check(model), run, toString: () => text }
}

const produce = (count: number, partition: number) =>
  command(`produce ${count} to ${partition}`, async (model, { producer }) => {
    const records = Array.from({ length: count }, () => ({ topic, partition, value: 'x' }))
    for (const { offset } of await producer.send(records)) {
      const end = model.ends[partition]!
      assert.equal(Number(offset), end)
      model.ends[partition] = end + 1
    }
  })

const join = (second: boolean) =>
  command(
    `join${second ? ' by the second log' : ''}`,
    async (model, { log, other }) => {
      const consumer = await (second ? other : log).consumer({ groupId, topics: [topic] })
      model.members.push({ consumer, held: undefined, seen: 0, positions: new Map() })
      model.generation++
    },
    model => model.members.length < 4
  )

const leave = (index: number) =>
  withMember(`leave ${index}`, index, async (model, member) => {
    await member.consumer.close()
    model.members = model.members.filter(one => one !== member)
    model.generation++
  })

const poll = (index: number, maxRecords: number) =>
  withMember(`poll ${index}`, index, async (model, member) => {
    const polled = await member.consumer.poll({ maxRecords, timeoutMs: 0 })
    assert.equal(polled.generation, model.generation)
    const owned = member.consumer.assignment().partitions.map(one => one.partition)
    if (member.seen !== polled.generation) {
      member.seen = polled.generation
      member.positions.clear()
      for (const partition of owned) member.positions.set(partition, model.start(partition))
    }
    for (const record of polled.records) {
      const expected = Math.max(
        member.positions.get(record.partition) ?? -1,
        model.earliest[record.partition]!
      )
      assert.equal(Number(record.offset), expected, 'a record was skipped or repeated')
      member.positions.set(record.partition, expected + 1)
    }
    const left = owned.some(one => {
      const at = Math.max(member.positions.get(one)!, model.earliest[one]!)
      return at < model.ends[one]!
    })
    if (polled.records.length < maxRecords) assert.ok(!left, 'a poll kept records back')
    member.held = polled.records.length > 0 ? polled : member.held
  })

const commit = (index: number) =>
  withMember(`commit ${index}`, index, async (model, member) => {
    const held = member.held
    if (held === undefined) return
    member.held = undefined
    const next = new Map(held.records.map(one => [one.partition, Number(one.offset) + 1]))
    const offsets = [...next].map(([partition, offset]) => ({
      topic,
      partition,
      offset: BigInt(offset)
    }))
    const error = await member.consumer.commit(held.generation, offsets).then(
      () => undefined,
      reason => reason
    )
    if (held.generation === model.generation) {
      assert.equal(error, undefined)
      for (const [partition, offset] of next) model.committed[partition] = offset
    } else {
      assert.ok(isPipelineError(error) && error.code === 'BROKER_FENCED')
    }
  })

const rewind = (index: number) =>
  withMember(`seekToCommitted ${index}`, index, async (model, member) => {
    await member.consumer.seekToCommitted()
    for (const partition of member.positions.keys()) {
      member.positions.set(partition, model.start(partition))
    }
    member.held = undefined
  })

const purge = (partition: number, share: number) =>
  command(`purge ${share} of ${partition}`, async (model, { log }) => {
    const offset = Math.floor(model.ends[partition]! * share)
    await log.deleteRecords([{ topic, partition, offset: BigInt(offset) }])
    model.earliest[partition] = Math.max(model.earliest[partition]!, offset)
  })

const compare = () =>
  command('compare', async (model, { other }) => {
    const lag = await other.groupLag(groupId, [topic])
    assert.deepEqual(
      lag.map(one => [one.committed, one.end, one.lag]),
      model.ends.map((end, partition) => {
        const committed = model.committed[partition]
        return [
          committed === undefined ? undefined : BigInt(committed),
          BigInt(end),
          BigInt(end - model.start(partition))
        ]
      })
    )
    const settled = model.members.filter(member => member.seen === model.generation)
    const owned = settled.flatMap(({ consumer }) => consumer.assignment().partitions)
    assert.equal(new Set(owned.map(one => one.partition)).size, owned.length)
    if (settled.length > 0 && settled.length === model.members.length) {
      assert.equal(owned.length, partitions)
    }
  })

function withMember(
  text: string,
  index: number,
  run: (model: Model, member: Member) => Promise<void>
): Command {
  return command(
    text,
    model => run(model, model.members[index % model.members.length]!),
    model => model.members.length > 0
  )
}

const index = fc.nat({ max: 3 })
const partition = fc.nat({ max: partitions - 1 })
const commands = fc.commands(
  [
    fc.tuple(fc.integer({ min: 1, max: 9 }), partition).map(args => produce(...args)),
    fc.boolean().map(join),
    index.map(leave),
    fc.tuple(index, fc.integer({ min: 1, max: 12 })).map(args => poll(...args)),
    fc.tuple(index, fc.integer({ min: 1, max: 12 })).map(args => poll(...args)),
    index.map(commit),
    index.map(commit),
    index.map(rewind),
    fc.tuple(partition, fc.double({ min: 0, max: 1, noNaN: true })).map(args => purge(...args)),
    fc.constant(compare())
  ],
  { maxCommands: 60, size: 'max' }
)

test('a group behaves as the reference model does, whatever the order of steps', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async list => {
      const temp = await openTempLog()
      try {
        await temp.log.createTopics([{ name: topic, partitions }])
        const other = await temp.another()
        const producer = await temp.log.producer()
        const setup = () => ({ model: new Model(), real: { log: temp.log, other, producer } })
        await fc.asyncModelRun(setup, list)
      } finally {
        await temp.close()
      }
    }),
    { numRuns: 60 }
  )
})
