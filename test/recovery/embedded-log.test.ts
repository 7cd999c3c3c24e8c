/** The embedded log under SIGKILL and SIGSTOP, with several processes on one file. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { LogRecord, MessageLog } from '../../src/ports/index.ts'
import { openTempLog } from '../helpers/embedded-log.ts'
import { checkedValue, isWhole } from './embedded-log/values.ts'

const topic = 'work'
const groupId = 'workers'
const partitions = 4
const limitMs = 60_000

interface Line {
  readonly acked?: [string, number, number][]
  readonly owned?: number
  readonly processed?: [number, number][]
  readonly committed?: [number, number][]
  readonly fenced?: boolean
}

interface Child {
  readonly process: ChildProcess
  readonly lines: Line[]
  /** Resolves when the condition holds for what was reported so far. */
  until(done: (lines: readonly Line[]) => boolean): Promise<void>
  kill(): Promise<void>
}

function start(
  t: TestContext,
  mode: 'produce' | 'consume',
  path: string,
  name: string,
  stopOnce = false
): Child {
  // A short session where its end is tested; long elsewhere, so that a busy machine expires nobody.
  const script = fileURLToPath(new URL('./embedded-log/child.ts', import.meta.url))
  const options = {
    path,
    topic,
    groupId,
    name,
    sessionTimeoutMs: stopOnce ? 1_600 : 10_000,
    stopOnce
  }
  const child = spawn(process.execPath, [script, mode, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const lines: Line[] = []
  const reader = createInterface({ input: child.stdout })
  const ended = once(reader, 'close')
  reader.on('line', line => lines.push(JSON.parse(line) as Line))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.after(kill)
  return {
    process: child,
    lines,
    async until(done) {
      const deadline = Date.now() + limitMs
      while (!done(lines)) {
        assert.ok(Date.now() < deadline, `${mode} ${name} did not get there`)
        assert.equal(child.exitCode, null, `${mode} ${name} ended by itself`)
        await new Promise(next => setTimeout(next, 5))
      }
    },
    kill
  }
}

async function openWorkLog(t: TestContext) {
  const temp = await openTempLog()
  t.after(() => temp.close())
  await temp.log.createTopics([{ name: topic, partitions }])
  return temp
}

async function everything(log: MessageLog): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  for (let partition = 0; partition < partitions; partition++) {
    all.push(...(await log.read({ topic, partition, offset: 0n }, 1_000_000)))
  }
  return all
}

async function totalLag(log: MessageLog): Promise<number> {
  const lag = await log.groupLag(groupId, [topic])
  return lag.reduce((sum, one) => sum + Number(one.lag), 0)
}

async function send(log: MessageLog, count: number, name: string): Promise<void> {
  const producer = await log.producer()
  const ids = Array.from({ length: count }, (_, index) => `${name}-${index}`)
  await producer.send(ids.map(id => ({ topic, value: checkedValue(id) })))
}

const place = (partition: number, offset: number) => `${partition}/${offset}`
const processed = (lines: readonly Line[]) => lines.flatMap(line => line.processed ?? [])

test('every acknowledged record is there after two producers were killed, five times', async t => {
  const { log, path } = await openWorkLog(t)
  const acked: [string, number, number][] = []
  for (let round = 0; round < 5; round++) {
    const children = ['a', 'b'].map(name => start(t, 'produce', path, `${name}${round}`))
    await Promise.all(children.map(child => child.until(lines => lines.length > 10 + 15 * round)))
    await Promise.all(children.map(child => child.kill()))
    acked.push(...children.flatMap(child => child.lines.flatMap(line => line.acked ?? [])))
  }
  const stored = new Map<string, string>()
  for (const record of await everything(log)) {
    const value = Buffer.from(record.value ?? '').toString()
    assert.ok(isWhole(value))
    stored.set(place(record.partition, Number(record.offset)), value)
  }
  assert.ok(acked.length > 100)
  for (const [id, partition, offset] of acked) {
    assert.equal(stored.get(place(partition, offset)), checkedValue(id))
  }
  const described = (await log.describeTopics([topic]))[0]!.partitions
  assert.equal(
    described.reduce((sum, one) => sum + Number(one.end), 0),
    stored.size,
    'an offset was left out'
  )
  assertSound(path)
})

test('killed consumers lose no record, and no commit that was acknowledged', async t => {
  const { log, path } = await openWorkLog(t)
  const total = 2_000
  await send(log, total, 'r')
  const seen = new Set<string>()
  const committed = new Map<number, number>()
  for (let round = 0; (await totalLag(log)) > 0; round++) {
    assert.ok(round < 100, 'the group makes no progress')
    const child = start(t, 'consume', path, `c${round}`)
    const enough = 3 + Math.floor(Math.random() * 40)
    const idle = async () => (await totalLag(log)) === 0
    let empty = false
    await child.until(lines => {
      if (lines.length > 0 && !empty)
        void idle().then(is => {
          empty = is
        })
      return empty || lines.length > enough
    })
    await child.kill()
    for (const [partition, offset] of processed(child.lines)) {
      assert.ok(offset >= (committed.get(partition) ?? 0), 'a commit was lost')
      seen.add(place(partition, offset))
    }
    for (const [partition, offset] of child.lines.flatMap(line => line.committed ?? [])) {
      committed.set(partition, Math.max(offset, committed.get(partition) ?? 0))
    }
  }
  assert.equal(seen.size, total)
  assertSound(path)
})

test('two processes share a group; when one is killed the other does its part', async t => {
  const { log, path } = await openWorkLog(t)
  const a = start(t, 'consume', path, 'a')
  const b = start(t, 'consume', path, 'b')
  const halves = (lines: readonly Line[]) =>
    lines.findLast(line => line.owned !== undefined)?.owned === 2
  await Promise.all([a.until(halves), b.until(halves)])
  await send(log, 2_000, 'first')
  const all = () => new Set([...processed(a.lines), ...processed(b.lines)].map(p => place(...p)))
  await a.until(() => all().size === 2_000)
  assert.ok(processed(a.lines).length > 0)
  assert.ok(processed(b.lines).length > 0)
  assert.equal(processed(a.lines).length + processed(b.lines).length, 2_000)
  await a.kill()
  await send(log, 1_000, 'second')
  await b.until(() => all().size === 3_000)
})

test('a process that was stopped beyond its session cannot commit when it goes on', async t => {
  const { log, path } = await openWorkLog(t)
  await send(log, 1_000, 'r')
  const stopped = start(t, 'consume', path, 'stopped', true)
  await stopped.until(lines => processed(lines).length > 0)
  const first = new Set(processed(stopped.lines).map(one => place(...one)))
  const other = start(t, 'consume', path, 'other')
  await other.until(lines => new Set(processed(lines).map(one => place(...one))).size === 1_000)
  stopped.process.kill('SIGCONT')
  await stopped.until(lines => lines.some(line => line.fenced === true))
  assert.ok(!stopped.lines.some(line => line.committed !== undefined))
  const repeated = processed(other.lines).filter(one => first.has(place(...one)))
  assert.equal(repeated.length, first.size, 'the work without a commit was not repeated')
  await stopped.until(lines => lines.some(line => line.owned === 2))
})

function assertSound(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true })
  assert.equal(db.prepare('PRAGMA integrity_check').get()!['integrity_check'], 'ok')
  db.close()
}
