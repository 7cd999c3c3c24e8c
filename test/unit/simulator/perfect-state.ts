/** An end state without fault, built from the truth, which tests then damage. */
import { dateOf, stringifyJson } from '../../../src/core/index.ts'
import { refusedMedia } from '../../../src/simulator/check-events.ts'
import { expectedFiles } from '../../../src/simulator/check-files.ts'
import { entityExpectations } from '../../../src/simulator/check-tables.ts'
import type { EndStateView, World } from '../../../src/simulator/index.ts'
import type { Cell } from '../../../src/simulator/projection.ts'
import { collectTruth } from '../../../src/simulator/truth.ts'

export type Value = string | number | bigint | boolean | null
export type TestRow = Record<string, Value>

export interface State {
  tables: Map<string, TestRow[]>
  files: Map<string, { size: number; sha256: string }>
  letters: { topic: string; value: string }[]
  cache: string[]
  lag: number
}

export function rowsOf(state: State, table: string): TestRow[] {
  const rows = state.tables.get(table)
  if (rows === undefined) throw new Error(`no table ${table}`)
  return rows
}

export function perfectState(world: World): State {
  const truth = collectTruth(world)
  const state: State = { tables: new Map(), files: new Map(), letters: [], cache: [], lag: 0 }
  for (const { table, keys, required, rowOf } of entityExpectations(world, truth)) {
    const rows = [...required].map(key => {
      const parts = key.split('|')
      const own = Object.fromEntries(keys.map((column, i) => [column, parts[i] ?? '']))
      const cells = Object.entries(rowOf(key) ?? {})
      return { ...own, ...Object.fromEntries(cells.map(([name, cell]) => [name, cellValue(cell)])) }
    })
    state.tables.set(table, rows)
  }
  addEvents(world, state)
  addFiles(world, state)
  return state
}

/** A value that satisfies the cell's test. */
function cellValue(cell: Cell): Value {
  if (typeof cell !== 'function') return cell
  const wanted = cell(null)
  if (wanted === undefined) return null
  if (wanted.startsWith('one of ')) return Number(/\d+/.exec(wanted)?.[0])
  if (wanted.startsWith('a link to ')) return `http://host/get/${wanted.slice(10)}`
  if (wanted.startsWith('JSON with ')) return `{"${wanted.slice(10)}":1}`
  return wanted === 'a time' ? '2026-01-05T08:00:00Z' : wanted
}

function addEvents(world: World, state: State): void {
  const events = new Map<string, TestRow>()
  const log = new Map<string, TestRow>()
  for (let index = 0; index < world.eventCount; index++) {
    const { value, expected } = world.event(index)
    if (expected.kind === 'malformed') {
      const text = Buffer.from(value).toString()
      const isText = Buffer.from(text).equals(value)
      const kept = isText ? text : Buffer.from(value).toString('base64')
      state.letters.push({
        topic: 'claimx.events.dlq',
        value: stringifyJson({ original_value: kept })
      })
      continue
    }
    const id = expected.eventId ?? `derived-${expected.sequence}`
    const failed = expected.outcome === 'failed_permanent'
    if (failed) {
      state.letters.push({
        topic: 'claimx.enrichment.dlq',
        value: stringifyJson({ event_id: id })
      })
    }
    const time = expected.ingestedAt ?? 1_800_000_000_000_000n
    const same = { event_id: id, event_type: expected.eventType, project_id: expected.projectId }
    events.set(id, {
      ...same,
      media_id: expected.mediaId,
      task_assignment_id: expected.taskAssignmentId,
      video_collaboration_id: expected.videoCollaborationId,
      master_file_name: expected.masterFileName,
      ingested_at: time,
      event_date: dateOf(time)
    })
    log.set(id, {
      ...same,
      status: expected.outcome,
      error_message: failed ? 'no such thing' : null,
      error_category: failed ? 'permanent' : null,
      retry_count: 0
    })
  }
  state.tables.set('claimx_events', [...events.values()])
  state.tables.set('claimx_event_log', [...log.values()])
}

function addFiles(world: World, state: State): void {
  const truth = collectTruth(world)
  const rows: TestRow[] = []
  for (const [id, file] of expectedFiles(world, truth)) {
    const answer = world.mediaAnswer(file.mediaId) ?? {}
    const path = `${file.projectId}/media/${id}_x.${file.extension}`
    state.files.set(path, { size: file.size, sha256: world.mediaDigest(file.mediaId) })
    rows.push({
      media_id: id,
      project_id: String(file.projectId),
      blob_path: path,
      file_type: (answer['mediaType'] as string | null) ?? null,
      file_name: (answer['mediaName'] as string | null)?.trim() ?? null,
      bytes_downloaded: BigInt(file.size),
      download_url: `http://host/service/cxfileservice/get/${file.uuid}`
    })
  }
  state.tables.set('claimx_attachments', rows)
  for (const id of refusedMedia(world, truth)) {
    state.letters.push({ topic: 'claimx.downloads.dlq', value: stringifyJson({ media_id: id }) })
  }
}

export function viewOf(state: State): EndStateView {
  return {
    readTable: async (name, columns) =>
      rowsOf(state, name).map(row => {
        const missing = columns.filter(column => !(column in row))
        if (missing.length > 0) throw new Error(`${name} lacks ${missing.join(', ')}`)
        return Object.fromEntries(columns.map(column => [column, row[column] ?? null]))
      }),
    listFiles: async function* () {
      for (const [path, { size }] of state.files) yield { path, size }
    },
    hashFile: async path => state.files.get(path)?.sha256 ?? '',
    deadLetters: async () => state.letters,
    cacheFiles: async () => state.cache,
    lag: async () => state.lag
  }
}
