/** Maintenance: small files joined, old ones deleted, everything checked. Run it: node maintenance.ts */
import { openDelta } from 'claims-pipeline/delta'

await using lake = await openDelta({ root: './lake' })
const readings = await lake.openOrCreate('readings', {
  columns: { sensor: 'string', value: 'double' },
  properties: { 'delta.deletedFileRetentionDuration': 'interval 0 hours' }
})
for (let batch = 0; batch < 20; batch++) {
  await readings.append(
    Array.from({ length: 100 }, (_, i) => ({ sensor: `s${i % 10}`, value: batch }))
  )
}

// Joins small files and drops the rows that deletion vectors mark. The rows stay as they are.
const joined = await readings.optimize()
console.log(`${joined.filesRemoved} files became ${joined.filesAdded}`)

// Deletes what no version within the retention needs; see first what that would be.
const planned = await readings.vacuum({ dryRun: true })
const deleted = await readings.vacuum()
console.log(`${planned.files.length} files to delete, ${deleted.files.length} deleted`)

// Every tenth commit writes a checkpoint by itself; this one is for a reader that should open fast now.
console.log('checkpoint of version', await readings.checkpoint())

const report = await readings.verify()
console.log(`${report.rows} rows in ${report.files} file(s), ${report.problems.length} problems`)
