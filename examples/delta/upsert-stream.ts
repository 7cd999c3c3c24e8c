/**
 * An upsert stream: events of many sources arrive late, twice and incomplete, in batches. Column policies
 * say what becomes of each column, and a guard which row is newer; the end does not depend on the order of
 * arrival. Run it: node upsert-stream.ts
 */
import { type MergeSpec, openDelta, type RowOf, toMicros } from 'claims-pipeline/delta'

const columns = {
  task_id: { type: 'string', nullable: false },
  status: 'string',
  assignee: 'string',
  first_seen: 'timestamp',
  escalated: 'boolean',
  updated_at: 'timestamp',
  loaded_at: 'timestamp'
} as const
type Task = RowOf<typeof columns>

const rules: MergeSpec<Task> = {
  keys: ['task_id'],
  // Of two rows with one key the one with the greater `updated_at` is newer.
  guard: { columns: ['updated_at'], strict: false },
  policies: {
    status: 'replace', // the newer row's, even if null
    assignee: 'coalesce', // the newer row's unless null: null never erases
    first_seen: 'min', // the earliest ever seen
    escalated: 'or', // once true, always true
    updated_at: 'replace',
    loaded_at: 'audit' // set when the row is written, but no reason to write it
  },
  // Such a row takes the stored one away.
  deleteWhen: row => row.status === 'CANCELLED'
}

async function* batches(): AsyncGenerator<Partial<Task>[]> {
  const at = (minute: number): bigint =>
    toMicros(`2026-01-31T09:${String(minute).padStart(2, '0')}`)
  yield [
    { task_id: 'a', status: 'OPEN', assignee: 'Kim', first_seen: at(5), updated_at: at(5) },
    { task_id: 'b', status: 'OPEN', first_seen: at(6), updated_at: at(6) }
  ]
  yield [
    { task_id: 'a', status: 'DONE', assignee: null, updated_at: at(9) }, // keeps Kim
    { task_id: 'a', status: 'LATE', first_seen: at(1), updated_at: at(1) }, // older: changes first_seen only
    { task_id: 'b', status: 'CANCELLED', updated_at: at(9) },
    { task_id: 'c', status: 'OPEN', escalated: true, updated_at: at(7) }
  ]
  yield [{ task_id: 'c', status: 'OPEN', escalated: false, updated_at: at(7) }] // nothing changes
}

await using lake = await openDelta({ root: './lake' })
const tasks = await lake.openOrCreate('tasks', {
  columns,
  // A changed row is marked in its file instead of copying the file.
  properties: { 'delta.enableDeletionVectors': 'true' }
})

for await (const batch of batches()) {
  const loaded_at = toMicros(new Date())
  const rows = batch.map(row => ({ ...row, loaded_at }))
  const { version, inserted, updated, deleted, unchanged } = await tasks.merge(rows, rules)
  console.log({ version, inserted, updated, deleted, unchanged })
}

const rows = await tasks.read({ columns: ['task_id', 'status', 'assignee', 'escalated'] })
for (const row of rows.sort((a, b) => a.task_id.localeCompare(b.task_id))) console.log(row)
