/** One of the writers of `delta-writers.ts`: a process of its own with its own engine and table object. */
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import type { Row } from '../../src/core/index.ts'
import { type ColumnSpec, DeltaTable, type MergeRules } from '../../src/delta/index.ts'

export const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'file_name', type: 'string', nullable: true },
  { name: 'bytes', type: 'long', nullable: true },
  { name: 'updated_at', type: 'long', nullable: true }
]

export const rules: MergeRules = {
  keys: ['id'],
  policies: new Map([['id', 'key']]),
  guard: { columns: ['updated_at'], strict: true }
}

export interface WriterOptions {
  readonly root: string
  readonly scratch: string
  readonly writer: number
  readonly merges: number
  readonly batch: number
  readonly keys: number
}

export interface WriterReport {
  readonly merges: number
  readonly conflicts: number
  readonly mostConflicts: number
  readonly bytesWritten: number
  readonly bytesWasted: number
  readonly redoneMs: number
  /** Time in merges without the pauses between attempts. */
  readonly activeMs: number
  readonly slowestMs: number
  /** The newest value that this writer gave each key. */
  readonly newest: readonly (readonly [number, number])[]
}

export function rowOf(id: number, at: number): Row {
  return {
    id,
    file_name: `photo ${(id * 7919) % 1_000_003}.jpg`,
    bytes: (id * 104_729) % 5_000_000,
    updated_at: at
  }
}

export async function openWriter(options: WriterOptions): Promise<WriterReport> {
  const { root, scratch, writer, merges, batch, keys } = options
  const engine = await openDuckDb({ threads: 1, connections: 2 })
  let paused = 0
  const clock = systemClock()
  const timed = {
    now: () => clock.now(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      const before = performance.now()
      await clock.sleep(ms, signal)
      paused += performance.now() - before
    }
  }
  const ports = { store: openLocalFiles({ root }), engine, clock: timed, ids: systemIds() }
  const table = await DeltaTable.open('t', ports, { scratch: `${scratch}/${writer}` })
  const newest = new Map<number, number>()
  const sums = {
    conflicts: 0,
    mostConflicts: 0,
    bytesWritten: 0,
    bytesWasted: 0,
    redoneMs: 0,
    activeMs: 0,
    slowestMs: 0
  }
  let state = writer + 1
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let merge = 0; merge < merges; merge++) {
    const rows = new Map<number, Row>()
    while (rows.size < batch) {
      const id = Math.floor(random() * keys)
      const at = 1 + Math.floor(random() * 1_000_000_000)
      rows.set(id, rowOf(id, at))
    }
    for (const [id, row] of rows)
      newest.set(id, Math.max(newest.get(id) ?? 0, Number(row['updated_at'])))
    const before = performance.now()
    paused = 0
    const result = await table.merge([...rows.values()], rules)
    const ms = performance.now() - before
    sums.conflicts += result.conflicts
    sums.mostConflicts = Math.max(sums.mostConflicts, result.conflicts)
    sums.bytesWritten += result.bytesWritten
    sums.bytesWasted += result.bytesWasted
    sums.redoneMs += result.redoneMs
    sums.activeMs += ms - paused
    sums.slowestMs = Math.max(sums.slowestMs, Math.round(ms))
  }
  await table.close()
  await engine.close()
  return { ...sums, merges, newest: [...newest] }
}

if (process.argv[1] === import.meta.filename) {
  const report = await openWriter(JSON.parse(process.argv[2] ?? '') as WriterOptions)
  process.stdout.write(JSON.stringify(report))
}
