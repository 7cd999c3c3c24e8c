/** Quick start: a table, two merges, a filter, an older version. Run it: node quick-start.ts */
import { openDelta, toMicros } from 'claims-pipeline/delta'

await using lake = await openDelta({ root: './lake' })

// The types of the rows follow from the columns.
const media = await lake.openOrCreate('media', {
  columns: {
    media_id: { type: 'string', nullable: false },
    file_name: 'string',
    bytes: 'long',
    created_at: 'timestamp'
  }
})

await media.merge(
  [
    { media_id: '7', file_name: 'roof.jpg', bytes: 120_000, created_at: toMicros(new Date(0)) },
    { media_id: '8', file_name: 'door.jpg', bytes: 80_000 }
  ],
  { keys: ['media_id'] }
)

// A known key changes its row; columns that are left out stay as they are.
const result = await media.merge(
  [
    { media_id: '7', bytes: 130_000 },
    { media_id: '9', file_name: 'report.pdf' }
  ],
  { keys: ['media_id'] }
)
console.log(`version ${result.version}: ${result.inserted} inserted, ${result.updated} updated`)

for (const row of await media.read({ where: "file_name LIKE '%.jpg'" })) console.log(row)

const before = await media.read({ version: 1, columns: ['media_id', 'bytes'] })
console.log('version 1 had', before.length, 'rows')
